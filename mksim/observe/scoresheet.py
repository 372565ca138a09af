"""The scorecard on paper: lines for a terminal, JSON for programs, a picture (SVG) for people."""

import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from mksim.observe.scorecard import ATTACKS, PROTECTIONS, Cell

_Grid = dict[tuple[str, str], Cell]

_ROW, _LABEL, _COLUMN, _HEAD = 24, 170, 150, 34
"""Pixels of the picture."""
_HIT, _SAFE = "#d55e00", "#56b4e9"
"""Vermilion and sky blue of a palette that colour-blind people tell apart (Okabe and Ito 2008)."""


def lines(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the table, an attack per line, a protection per column."""
    grid = _grid(cells)
    rows = [["", *PROTECTIONS], *([attack, *_row(grid, attack)] for attack in ATTACKS)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _grid(cells: Sequence[Cell]) -> _Grid:
    return {(cell.attack, cell.protection): cell for cell in cells}


def _row(grid: _Grid, attack: str) -> list[str]:
    return [str(grid[attack, protection].affected) for protection in PROTECTIONS]


def as_json(cells: Sequence[Cell]) -> str:
    """Return the cells, one object each."""
    rows = [
        {
            "attack": cell.attack,
            "protection": cell.protection,
            "pages": cell.affected.pages,
            "cores": cell.affected.cores,
            "devices": cell.affected.devices,
            "violations": cell.violations,
        }
        for cell in cells
    ]
    return json.dumps(rows, indent=2) + "\n"


def as_svg(cells: Sequence[Cell]) -> str:
    """Return the table as a picture: colour and words say the same."""
    grid = _grid(cells)
    width, height = _LABEL + _COLUMN * len(PROTECTIONS), _HEAD + _ROW * len(ATTACKS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *(_text(_LABEL + _COLUMN * n + 8, 22, name) for n, name in enumerate(PROTECTIONS)),
    ]
    for row, attack in enumerate(ATTACKS):
        top = _HEAD + _ROW * row
        parts.append(_text(8, top + 16, attack))
        for n, protection in enumerate(PROTECTIONS):
            parts += _box(_LABEL + _COLUMN * n, top, grid[attack, protection])
    return "\n".join([*parts, "</svg>\n"])


def _text(left: int, base: int, text: str) -> str:
    return f'<text x="{left}" y="{base}">{escape(text)}</text>'


def _box(left: int, top: int, cell: Cell) -> Iterator[str]:
    colour = _HIT if cell.affected else _SAFE
    words = str(cell.affected) if cell.affected else "nothing"
    yield f'<rect x="{left}" y="{top}" width="{_COLUMN - 2}" height="{_ROW - 2}" fill="{colour}"/>'
    yield _text(left + 8, top + 16, words)


FORMS: dict[str, Callable[[Sequence[Cell]], str]] = {".json": as_json, ".svg": as_svg}
"""By the ending of a file's name."""


def write(cells: Sequence[Cell], path: Path) -> None:
    """Write the cells to a file in the form that its name asks for; OSError if it cannot be written."""
    path.write_text(FORMS[path.suffix](cells), encoding="utf-8")
