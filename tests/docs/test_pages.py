"""Pages that are made from the code are current, and no page names a file or an anchor that is not there."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES
from mksim.machine import schema

ROOT = Path(__file__).parents[2]
ALL = [ROOT / "README.md", ROOT / "kernels/README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("mksim/", "firmware/", "kernels/", "tests/", "docs/", "benchmarks/")


@pytest.mark.parametrize("name", PAGES)
def test_a_made_page_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name](), "run `make docs`"


def test_the_config_page_has_every_key() -> None:
    text = (ROOT / "docs/config.md").read_text()
    for keys in schema.TABLES.values():
        for key in keys:
            assert f"| `{key}` |" in text


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    named = {name for name in re.findall(r"`([\w./-]+)`", text) if name.startswith(FOLDERS)}
    missing = {name for name in named if not (ROOT / name).exists()}
    linked = {name for name in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in name}
    missing |= {name for name in linked if not (page.parent / name).exists()}
    assert not missing


def test_every_line_of_conformance_names_the_kernel_that_shows_it() -> None:
    lines = (ROOT / "docs/conformance.md").read_text().split("|---|---|---|\n")[1].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines]
    assert all(len(row) == 3 for row in rows)
    assert [what for what, _, shown in rows if "`kernels/tests/" not in shown] == []


def test_the_tour_numbers_its_steps() -> None:
    steps = re.findall(r"^(\d+)\. ", (ROOT / "docs/tour.md").read_text(), re.MULTILINE)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
