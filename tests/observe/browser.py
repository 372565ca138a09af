"""A real browser without a window: Chromium, spoken to by the DevTools protocol over a pair of pipes.

https://chromedevtools.github.io/devtools-protocol: JSON, each message ended by a zero byte.
"""

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = "chromium-headless-shell"
PATIENCE = 120
"""Seconds: a host may be busy, but a test ends."""
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")


class Page:
    """One page that is open. `events` holds what the browser has told of it."""

    def __init__(self, to: int, fro: int) -> None:
        self._to, self._fro = to, fro
        self._number, self._rest, self._session = 0, b"", ""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; return what it answers."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._fro], [], [], PATIENCE)[0], "the browser does not answer"
            data = os.read(self._fro, 1 << 20)
            assert data, "the browser has gone"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, url: str) -> None:
        """Load a page, and wait until it is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """Return the value of an expression."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def told(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of all events of a kind."""
        return [event["params"] for event in self.events if event["method"] == method]

    def wide(self, width: int, height: int = 800) -> None:
        """Be a screen of that size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True
        )

    def scheme(self, name: str) -> None:
        """Be somebody who prefers `dark` or `light`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])


@contextmanager
def browsing(url: str, folder: Path) -> Iterator[Page]:
    """Open a page in a browser, whose own files go to a folder."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    profile = folder / "profile"
    command = f'exec 3<&{theirs_in} 4>&{theirs_out} {BROWSER} {" ".join(_FLAGS)} --user-data-dir="$0"'
    process = subprocess.Popen(
        ["bash", "-c", command, str(profile)],
        pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for end in (theirs_in, theirs_out):
        os.close(end)
    try:
        page = Page(ours_out, ours_in)
        page.open(url)
        yield page
    finally:
        process.kill()
        process.wait()
        for end in (ours_in, ours_out):
            os.close(end)
