"""What docs/traces.md asks in SQL is answered as it shows, but for numbers, by Perfetto's trace processor."""

import re
from pathlib import Path

import pytest

from mksim.cli import main
from tests.conftest import needs, needs_package
from tests.guest.booting import ROOT
from tests.observe.browser import BROWSER
from tests.observe.perfetto_ui import PACKAGE, opened

PAGE = ROOT / "docs" / "traces.md"
QUESTION = re.compile(
    r"^```sql build/(\w+)\.pftrace\n(.*?)^```$\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def questions() -> list[object]:
    return [pytest.param(*match.groups(), id=match[1]) for match in QUESTION.finditer(PAGE.read_text())]


def masked(line: str) -> str:
    return re.sub(r"\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b", "#", line)


@needs(BROWSER)
@needs_package(PACKAGE)
@pytest.mark.parametrize(("scenario", "query", "answer"), questions())
def test_a_question_has_the_answer_that_is_shown(
    scenario: str, query: str, answer: str, tmp_path: Path
) -> None:
    trace = tmp_path / "run.pftrace"
    main(["boot", str(ROOT / "kernels" / scenario / "config.toml"), "--quiet", f"--trace={trace}"])
    with opened(trace) as ui:
        rows = ["  ".join(row) for row in ui.sql(query)]
    assert [masked(row) for row in rows] == [masked(line) for line in answer.splitlines()]


def test_there_are_questions() -> None:
    assert len(questions()) >= 2
