"""What is told of a text screen: every row once it is at rest or scrolls away, none twice."""

import numpy as np
import pytest

from mksim.observe.screen import GLYPHS, Screen, changes, plain, rows, scrolled
from mksim.spec.vga import BLANK, CELLS, COLUMNS, ROWS


class Paper:
    """A screen to write on, and what was told of it."""

    def __init__(self):
        self.cells = np.full(CELLS, BLANK, np.uint16)
        self.told = []
        self.screen = Screen(lambda: self.cells, self.told.append)

    def write(self, row, text):
        self.cells[row * COLUMNS :][:COLUMNS] = BLANK
        self.cells[row * COLUMNS :][: len(text)] = [0x1F00 | ord(letter) for letter in text]

    def scroll(self):
        self.cells = np.append(self.cells[COLUMNS:], np.full(COLUMNS, BLANK, np.uint16))

    def look(self, at_rest=False):
        self.screen(at_rest)


@pytest.fixture
def paper():
    return Paper()


def test_a_screen_is_text_in_code_page_437():
    cells = np.full(CELLS, BLANK, np.uint16)
    cells[:4] = [0x0741, 0x4201, 0x0780, 0x07FF]
    assert rows(cells) == ["A☺Ç", *[""] * (ROWS - 1)]
    assert plain(cells) == ["A☺Ç"]
    assert len(GLYPHS) == 256
    assert GLYPHS.isprintable()


def test_rows_are_told_when_they_come_to_rest(paper):
    paper.write(0, "hel")
    paper.look()
    paper.write(0, "hello")
    paper.write(2, "world")
    paper.look()
    assert paper.told == []
    paper.look(at_rest=True)
    assert paper.told == ["hello", "world"]
    paper.look(at_rest=True)
    assert paper.told == ["hello", "world"]


def test_only_the_row_that_changed_is_told_again(paper):
    for row in range(ROWS):
        paper.write(row, f"row {row}")
    paper.look(at_rest=True)
    paper.told.clear()
    paper.write(7, "row seven")
    paper.look(at_rest=True)
    assert paper.told == ["row seven"]


def test_what_scrolls_away_is_told_before(paper):
    for line in range(100):
        if line >= ROWS:
            paper.scroll()
        paper.write(min(line, ROWS - 1), f"line {line}")
        if line % 10 == 9:
            paper.look()
    paper.screen.finish()
    assert paper.told == [f"line {line}" for line in range(100)]


def test_a_line_that_grows_is_told_when_it_is_whole(paper):
    for line in range(40):
        if line >= ROWS:
            paper.scroll()
        for end in (5, len(f"line number {line}")):
            paper.write(min(line, ROWS - 1), f"line number {line}"[:end])
            paper.look()
    paper.screen.finish()
    assert paper.told == [f"line number {line}" for line in range(40)]


def test_a_cleared_screen_says_nothing(paper):
    paper.write(3, "gone")
    paper.look(at_rest=True)
    paper.cells[:] = BLANK
    paper.look(at_rest=True)
    assert paper.told == ["gone"]


def test_a_screen_that_changes_everywhere_has_not_scrolled():
    before, now = ([f"{word} {row}" for row in range(ROWS)] for word in ("old", "new"))
    assert scrolled(before, now) == 0
    assert scrolled(before, before) == 0
    assert list(changes(before, now)) == now
