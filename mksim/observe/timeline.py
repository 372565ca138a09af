"""The time line of a report: a lane per core, arrows between them, marks where something happened.

Shapes are SVG that is stretched as one zooms in; words and marks lie over it, as HTML, and are not.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from html import escape

import numpy as np

from mksim.machine.machine import Machine
from mksim.machine.names import MODES
from mksim.observe.evidence import Evidence, busy, levels
from mksim.observe.picture import VIOLATION, colour

COLUMNS = 2400
ARROWS, MARKS, ENDS = 1000, 200, 200
"""As many are drawn, and no more."""
_LANE, _GAP, _BAR = 24, 10, 16
"""Pixels: from lane to lane, between kernels, and how high the bar of a core that runs is."""
_TICKS = 10
_OPACITIES = (0, 0.4, 0.7, 1)
"""By how much of the time a core ran: level 0 to 3."""


@dataclass(slots=True)
class Timeline:
    """Where everything is. x is from 0 to COLUMNS, y in pixels."""

    evidence: Evidence
    end: int
    """Cycles at the right edge."""
    lanes: dict[int, int] = field(default_factory=dict)
    """The top of each core's lane."""
    height: int = 0

    def __post_init__(self) -> None:
        for life in self.machine.lives:
            self.height += _GAP
            for core in life.kernel.cores:
                self.lanes[core] = self.height
                self.height += _LANE
        self.height += _GAP

    @property
    def machine(self) -> Machine:
        return self.evidence.machine

    def x(self, cycles: int) -> float:
        """Return where a time is."""
        return round(cycles * COLUMNS / self.end, 2)

    def middle(self, core: int) -> float:
        """Return where the middle of a core's lane is."""
        return self.lanes[core] + _LANE / 2

    def told(self, cycles: int) -> str:
        """Return a time in words."""
        return f"{self.machine.layout.nanoseconds(cycles):,} ns"


def timeline(evidence: Evidence, listed: Set[int]) -> str:
    """Return the time line as HTML. Marks lead to the crossings, by serial, that are listed elsewhere."""
    line = Timeline(evidence, max(1, evidence.machine.now))
    names = "".join(_names(line))
    shapes = "".join([*_bars(line), *_arrows(line)])
    marks = "".join([*_ticks(line), *_violations(line, listed), *_ends(line)])
    return (
        f'<div class="timeline"><div class="lanes" style="height:{line.height}px">{names}</div>'
        f'<div class="scroll" tabindex="0" role="img" aria-label="which core ran when, and messages">'
        f'<div class="stretch" style="height:{line.height}px" '
        f'data-end="{evidence.machine.layout.nanoseconds(line.end)}">'
        f'<svg viewBox="0 0 {COLUMNS} {line.height}" preserveAspectRatio="none">{shapes}</svg>{marks}'
        f"</div></div></div>"
    )


def _names(line: Timeline) -> Iterator[str]:
    for life in line.machine.lives:
        for core in life.kernel.cores:
            name = f"{escape(life.kernel.name)}<small> core {core}</small>"
            yield f'<div style="top:{line.lanes[core]}px;border-color:{colour(life.kernel.id)}">{name}</div>'


def _bars(line: Timeline) -> Iterator[str]:
    runs = line.evidence.runs()
    for life in line.machine.lives:
        for core in life.kernel.cores:
            top = line.lanes[core] + (_LANE - _BAR) // 2
            yield f'<path class="rest" d="M0 {line.middle(core)}H{COLUMNS}"/>'
            paths = ["", "", "", ""]
            for start, length, level in levels(busy(runs[core], line.end, COLUMNS)):
                paths[level] += f"M{start} {top}h{length}v{_BAR}h-{length}z"
            for path, opacity in zip(paths, _OPACITIES, strict=True):
                if path:
                    yield f'<path d="{path}" fill="{colour(life.kernel.id)}" opacity="{opacity}"/>'


def thinned(records: np.ndarray, most: int) -> np.ndarray:
    """Return so many at the most, evenly out of all of them."""
    if len(records) <= most:
        return records
    return records[np.linspace(0, len(records) - 1, most).astype(int)]


def _arrows(line: Timeline) -> Iterator[str]:
    for sent in thinned(line.evidence.messages(), ARROWS):
        sender, receiver = int(sent["core"]), int(sent["other"])
        when, due = int(sent["when"]), int(sent["until"])
        mode, vector = MODES[sent["mode"]], int(sent["value"])
        what = f"{mode} {vector:#x}, core {sender} to core {receiver}, {line.told(when)} to {line.told(due)}"
        home = int(line.machine.board.cores[sender]["home"])
        ends = (line.x(when), line.middle(sender), line.x(due), line.middle(receiver))
        yield (
            f'<g stroke="{colour(home)}"><title>{escape(what)}</title>'
            f'<path class="arrow" d="M{ends[0]} {ends[1]}L{ends[2]} {ends[3]}"/>'
            f'<path class="head" d="M{ends[2]} {ends[3]}h0"/></g>'
        )


def _place(line: Timeline, when: int) -> str:
    return f"left:{100 * min(1, when / line.end):.3f}%"


def _ticks(line: Timeline) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        when = line.end * tick // _TICKS
        told = f"{line.machine.layout.nanoseconds(when) / 1000:,.0f} µs"
        odd = " odd" if tick % 2 else ""
        yield f'<span class="tick{odd}" style="{_place(line, when)}">{told}</span>'


def _violations(line: Timeline, listed: Set[int]) -> Iterator[str]:
    for record in thinned(line.machine.ledger.recorded_violations(), MARKS):
        who = int(record["kernel"])
        if not 0 <= who < len(line.machine.lives):
            continue  # the firmware has no lane
        core = int(record["core"]) if record["core"] >= 0 else line.machine.lives[who].kernel.boot_core
        what = f"violation by core {core} at {line.told(int(record['when']))}"
        top = line.lanes[core] + (_LANE - _BAR) // 2
        goal = f"x{record['serial']}" if int(record["serial"]) in listed else "crossings"
        yield (
            f'<a class="mark" href="#{goal}" title="{what}" aria-label="{what}" '
            f'style="{_place(line, int(record["when"]))};top:{top}px;color:{VIOLATION}">✕</a>'
        )


def _ends(line: Timeline) -> Iterator[str]:
    ends = [(life, end) for life in line.machine.lives for end in life.ends]
    for life, (when, ending, code) in ends[:ENDS]:
        what = ending.value if code is None else f"{ending.value} {code}"
        top = line.lanes[life.kernel.boot_core]
        yield f'<span class="end" style="{_place(line, when)};top:{top}px">{escape(what)}</span>'
