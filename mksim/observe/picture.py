"""A machine's map as a picture, and the colours that stand for kernels wherever they are shown.

Nothing is told by colour alone: every kernel has a pattern too, and its name stands beside it.
"""

from html import escape
from math import log2

from mksim.machine.config import Layout
from mksim.machine.drawing import Region, regions

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442")
"""Of a palette that colour-blind people tell apart (Okabe and Ito 2008); its vermilion is for violations."""
VIOLATION = "#d55e00"
_GREYS = {"nobody": "#bbbbbb", "board": "#888888", "firmware": "#555555"}

_PATTERNS = (
    "",
    '<path d="M0 10 10 0" stroke="{ink}" stroke-width="2.5"/>',
    '<circle cx="5" cy="5" r="2.2" fill="{ink}"/>',
    '<path d="M0 5h10" stroke="{ink}" stroke-width="2.5"/>',
    '<path d="M5 0v10M0 5h10" stroke="{ink}" stroke-width="1.5"/>',
    '<path d="M0 0 10 10" stroke="{ink}" stroke-width="2.5"/>',
)
"""Of six colours with six patterns the first six differ in both."""
_INK = "#00000088"

_LEAST, _PER_DOUBLING = 20, 3
"""Pixels of the map: a region is the higher the bigger it is, but not in proportion: 4 KiB beside 3 GiB."""


def colour(kernel: int) -> str:
    """Return the colour that stands for a kernel."""
    return COLOURS[kernel % len(COLOURS)]


def definitions(kernels: int, prefix: str) -> str:
    """Return what fills `url(#PREFIXn)`, for each kernel and for windows (`PREFIXw`): once in a document."""
    parts = [_pattern(f"{prefix}{number}", colour(number), _style(number)) for number in range(kernels)]
    shared = '<path d="M0 0 10 10M0 10 10 0" stroke="#00000055" stroke-width="1"/>'
    return "<defs>" + "".join([*parts, _pattern(f"{prefix}w", "#ffffff", shared)]) + "</defs>"


def _style(number: int) -> str:
    turn = number // len(COLOURS)
    return _PATTERNS[(number + turn) % len(_PATTERNS)].format(ink=_INK)


def _pattern(name: str, fill: str, style: str) -> str:
    return (
        f'<pattern id="{name}" width="10" height="10" patternUnits="userSpaceOnUse">'
        f'<rect width="10" height="10" fill="{fill}"/>{style}</pattern>'
    )


def swatch(fill: str, height: int = 14) -> str:
    """Return a patch of a colour, or of a pattern of `definitions`."""
    return (
        f'<svg class="swatch" width="42" height="{height}" aria-hidden="true">'
        f'<rect width="100%" height="100%" fill="{fill}"/></svg>'
    )


def map_rows(layout: Layout, prefix: str) -> str:
    """Return rows of a table: memory by owner, lowest address first; they need `definitions`."""
    return "".join(_row(layout, region, prefix) for region in regions(layout))


def _row(layout: Layout, region: Region, prefix: str) -> str:
    height = _LEAST + _PER_DOUBLING * max(0, round(log2(region.span.size / 4096)))
    patch = swatch(_fill(layout, region.owner, prefix), height)
    return (
        f"<tr><td>{patch}</td><th>{escape(region.owner)}</th><td>{escape(region.use)}</td>"
        f"<td><code>{region.span.base:#010x}</code></td><td>{size(region.span.size)}</td></tr>"
    )


def _fill(layout: Layout, owner: str, prefix: str) -> str:
    for kernel in layout.kernels:
        if kernel.name == owner:
            return f"url(#{prefix}{kernel.id})"
    return _GREYS.get(owner, f"url(#{prefix}w)")


def size(number: int) -> str:
    """Return bytes as people write them."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= size:
            return f"{number / size:.4g} {unit}"
    return f"{number} B"
