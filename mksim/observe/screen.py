"""The text screen as a console: rows are told once they have come to rest, or before they scroll away.

What is on the screen for less than a look, a millisecond of virtual time, nobody sees.
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

import numpy as np

from mksim.spec.vga import COLUMNS, ROWS

_GRAPHICS = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
_LETTERS = bytes(range(256)).decode("cp437")
GLYPHS = _GRAPHICS + _LETTERS[len(_GRAPHICS) :].replace("\x7f", "⌂").replace("\xa0", " ")
"""Of each character of the code page in a VGA's ROM, 437."""

Rows = list[str]


def rows(cells: np.ndarray) -> Rows:
    """Return the rows of a screen as text, without spaces at their ends."""
    text = "".join(GLYPHS[letter] for letter in (cells & 0xFF).tolist())
    return [text[at : at + COLUMNS].rstrip() for at in range(0, ROWS * COLUMNS, COLUMNS)]


def plain(cells: np.ndarray) -> Rows:
    """Return the rows without the empty ones at the end."""
    return "\n".join(rows(cells)).rstrip("\n").split("\n")


class Screen:
    """Tells the rows of a screen as they change. `cells` gives what is on it, `tell` gets each row."""

    def __init__(self, cells: Callable[[], np.ndarray], tell: Callable[[str], None]) -> None:
        self._cells = cells
        self._tell = tell
        self._told = self._seen = [""] * ROWS

    def __call__(self, at_rest: bool) -> None:
        """Look at a screen that has changed, or has come to rest."""
        now = rows(self._cells())
        if (lines := scrolled(self._seen, now)) > 0:
            self._tell_changes(self._seen)
            self._told = self._seen[lines:] + [""] * lines
        self._seen = now
        if at_rest:
            self._tell_changes(now)

    def finish(self) -> None:
        """Tell what has not been told."""
        self(True)

    def _tell_changes(self, now: Rows) -> None:
        for row in changes(self._told, now):
            self._tell(row)
        self._told = now


def scrolled(before: Sequence[str], now: Sequence[str]) -> int:
    """Return by how many lines a screen has moved up, 0 if it has not. Its last line may have grown since."""
    if before == now:
        return 0
    last = max((row for row in range(ROWS) if before[row]), default=0)
    for lines in range(1, last):
        kept = before[lines:last]
        if any(kept) and now[: len(kept)] == kept:
            return lines
    return 0


def changes(before: Rows, now: Rows) -> Iterator[str]:
    """Yield the rows that are new, from the top; empty ones are none."""
    for kind, _, _, first, end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if kind in ("insert", "replace"):
            yield from (row for row in now[first:end] if row)
