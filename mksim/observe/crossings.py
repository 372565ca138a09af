"""The crossings of a report: a matrix of who reached into whose, and single ones with their source lines."""

from collections.abc import Iterator
from html import escape

import numpy as np

from mksim.boot.image import Protocol
from mksim.boot.lines import read_lines
from mksim.fabric.ledger import Act
from mksim.machine.config import Kernel
from mksim.machine.drawing import regions
from mksim.machine.machine import Machine
from mksim.machine.names import device_name, owner_name
from mksim.machine.symbols import symbols_of

SHOWN = 100
"""Single crossings of each kind, for each pair."""
_MEMORY = {Act.READ, Act.WRITE, Act.EXECUTE, Act.WALK, Act.DMA_READ, Act.DMA_WRITE}
_SIGNALS = {Act.IPI, Act.NMI, Act.INIT, Act.SIPI}
_HEAD = "<tr><th>when</th><th>what</th><th>where</th><th>by</th><th>from</th></tr>"


class Code:
    """What is at an address of a kernel's code."""

    def __init__(self, machine: Machine, kernel: Kernel) -> None:
        self._segments = [
            (segment.virtual, segment.span.moved(kernel.load_offset)) for segment in kernel.image.segments
        ]
        self._symbols = symbols_of(machine, kernel)
        self._lines = read_lines(kernel.image.raw)
        self._elsewhere = kernel.image.protocol is Protocol.LINUX
        """Whether it runs at other addresses than its image's: it unpacks itself."""

    def at(self, rip: int) -> str:
        """Return the symbol and the source line, as far as the image tells them."""
        for virtual, span in self._segments:
            if rip in span:  # it runs without page tables, or with such that change nothing
                rip += virtual - span.base
            if virtual <= rip < virtual + span.size:
                return " ".join(str(one) for one in (self._symbols.at(rip), self._lines.at(rip)) if one)
        return str(self._symbols.at(rip) or "") if self._elsewhere else ""


class Crossings:
    """The ledger of a machine, for a page."""

    def __init__(self, machine: Machine, *, linked: bool = True) -> None:
        self._machine, self._linked = machine, linked
        counts = machine.ledger.counts.sum(axis=2)
        self.who: list[int] = np.flatnonzero(counts.any(axis=(1, 2))).tolist()
        self.whose: list[int] = np.flatnonzero(counts.any(axis=(0, 2))).tolist()
        self._counts = counts
        self.listed: set[int] = set()
        """Serials of those that `details` shows."""
        self._codes: dict[int, Code] = {}
        self._regions = regions(machine.layout)

    def matrix(self) -> str:
        """Return a table of counts; each leads to its details."""
        if not self.who:
            return "<p>Nobody reached for anything of another's.</p>"
        names = "".join(f"<th>{escape(self._name(whose))}</th>" for whose in self.whose)
        rows = "".join(map(self._line, self.who))
        return f'<table class="matrix"><tr><td>who ↓ whose →</td>{names}</tr>{rows}</table>'

    def _line(self, who: int) -> str:
        cells = "".join(self._cell(who, whose) for whose in self.whose)
        return f"<tr><th>{escape(self._name(who))}</th>{cells}</tr>"

    def _name(self, code: int) -> str:
        return owner_name(self._machine, code)

    def _cell(self, who: int, whose: int) -> str:
        bad, good = (int(count) for count in self._counts[who, whose])
        if not bad + good:
            return "<td>·</td>"
        told = [f"<b>✕ {bad:,}</b>"] if bad else []
        told += [f"{good:,} granted"] if good else []
        kind = ' class="bad"' if bad else ""
        words = "<br>".join(told)
        return (
            f'<td{kind}><a href="#in-{who}-{whose}">{words}</a></td>' if self._linked else f"<td>{words}</td>"
        )

    def details(self) -> str:
        """Return single crossings, pair by pair, violations first."""
        ledger = self._machine.ledger
        granted = ledger.records()
        found = [ledger.recorded_violations(), granted[granted["granted"]]]
        pairs = [(who, whose) for who in self.who for whose in self.whose if self._counts[who, whose].any()]
        return "".join(self._pair(who, whose, found) for who, whose in pairs)

    def _pair(self, who: int, whose: int, found: list[np.ndarray]) -> str:
        total = int(self._counts[who, whose].sum())
        codes = self._machine.ledger.counts.shape[0]
        mine = [
            some[(some["kernel"] % codes == who) & (some["target"] % codes == whose)][:SHOWN]
            for some in found
        ]
        rows = [self._row(record) for some in mine for record in some]
        title = f"{escape(self._name(who))} into {escape(self._name(whose))}"
        return (
            f'<details><summary>{title}: {len(rows):,} of {total:,} crossings</summary><div class="scroll" '
            f'id="in-{who}-{whose}"><table class="events">{_HEAD}{"".join(rows)}</table></div></details>'
        )

    def _row(self, record: np.void) -> str:
        self.listed.add(int(record["serial"]))
        act, bad = Act(record["act"]), not record["granted"]
        cells = (
            f"{self._machine.layout.nanoseconds(int(record['when'])):,} ns",
            f"{'✕ ' if bad else ''}{act.name.lower().replace('_', ' ')}",
            f"<code>{escape(self._where(record, act))}</code>",
            *(f"<code>{escape(text)}</code>" for text in self._from(record)),
        )
        kind = ' class="bad"' if bad else ""
        return (
            f'<tr id="x{record["serial"]}"{kind}>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        )

    def _code(self, kernel: int) -> Code:
        if kernel not in self._codes:
            self._codes[kernel] = Code(self._machine, self._machine.layout.kernels[kernel])
        return self._codes[kernel]

    def _where(self, record: np.void, act: Act) -> str:
        where = int(record["where"])
        if act in _SIGNALS:
            return f"vector {where:#x}"
        uses = (region.use for region in self._regions if act in _MEMORY and where in region.span)
        return f"{where:#x} {next(uses, '')}".strip()

    def _from(self, record: np.void) -> Iterator[str]:
        """Yield who it was - a core, or a device - and which code."""
        rip = int(record["rip"])
        if record["core"] < 0:
            yield f"device {device_name(rip)}"
            yield ""
            return
        yield f"core {record['core']}"
        who = int(record["kernel"])
        known = self._code(who).at(rip) if who >= 0 else ""
        yield f"{known or 'no symbol'} ({rip:#x})"
