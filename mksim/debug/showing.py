"""One core as text: its registers, its code, its memory, its local APIC."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mksim.boot.lines import Source
from mksim.clock.time import NEVER
from mksim.debug.control import Debugger
from mksim.debug.disassembly import Extent, disassemble_code
from mksim.debug.places import Places
from mksim.debug.target import REGISTERS
from mksim.engine.cpustate import HF_CS32, HF_CS64
from mksim.machine.names import MODES
from mksim.spec import apic

Values = Mapping[str, int | None]
"""Registers by name; None where one is not known."""

_SHOWN = [row for row in REGISTERS if row.size <= 8 and row.kind not in ("int", "i387_ext")]
_COLUMNS = 4
_LONGEST = 15
"""Bytes of an instruction."""
_LVT = ("timer", "thermal", "counters", "LINT0", "LINT1", "error")
_TIMER_MODES = {0: "one-shot", apic.LVT_PERIODIC: "periodic", apic.LVT_DEADLINE: "TSC deadline"}
_SHORTHANDS = ("", "self", "all", "all but self")


def registers(debugger: Debugger, core: int) -> Values:
    """Return what a core's registers hold, vectors and x87 left out."""
    of = debugger.registers(core)
    raw = {row.name: of.read(row) for row in _SHOWN}
    return {name: None if data is None else int.from_bytes(data, "little") for name, data in raw.items()}


def register_lines(now: Values, before: Values) -> Iterator[str]:
    """Yield lines of registers, those marked by `*` that were other before."""
    cells = []
    for name, value in now.items():
        mark = "*" if before.get(name, value) != value else " "
        cells.append(f"{mark}{name:9} {0 if value is None else value:<#18x}")
    for at in range(0, len(cells), _COLUMNS):
        yield " ".join(cells[at : at + _COLUMNS]).rstrip()


def code_lines(debugger: Debugger, places: Places, core: int, address: int, count: int) -> Iterator[str]:
    """Yield instructions of a core's kernel, with symbols."""
    kernel = int(debugger.machine.board.cores[core]["owner"])
    flags = int(debugger.env(core)[0]["hflags"])
    bits = 64 if flags & HF_CS64 else 32 if flags & HF_CS32 else 16
    code = debugger.read(core, address, _LONGEST * count)
    if not code:
        yield f"{address:12x}  no memory"
    shown = disassemble_code(code, places.symbols(kernel), Extent(address, bits, count=count))
    yield from shown


def source_lines(source: Source | None, around: int = 0) -> Iterator[str]:
    """Yield lines of a source file, as far as it is at hand."""
    try:
        text = [] if source is None else Path(source.file).read_text(errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(text, 1):
        if source is not None and abs(number - source.line) <= around:
            mark = ">" if around and number == source.line else " "
            yield f"{mark}{number:5}  {line}".rstrip()


def memory_lines(data: bytes, address: int) -> Iterator[str]:
    """Yield a dump, 16 bytes a line."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{address + at:16x}  {row.hex(' ', 8):33}  {text}"


# --- the local APIC, SDM vol. 3A, chapter 12 ---


def vectors(words: np.ndarray) -> list[int]:
    """Return which of 256 vectors are set in IRR, ISR or TMR."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little")
    return [int(vector) for vector in np.flatnonzero(bits)]


def _bitmap(words: np.ndarray) -> str:
    """Return 256 bits as text, vector 0 rightmost, and which are set."""
    digits = " ".join(f"{int(word):08x}" for word in words[::-1])
    told = ", ".join(f"{vector:#04x}" for vector in vectors(words))
    return f"{digits}  {told or 'none'}"


def _command(icr: int, *, x2apic: bool) -> str:
    """Return an interrupt command in words (figure 12-12)."""
    shorthand = _SHORTHANDS[icr >> apic.ICR_SHORTHAND_SHIFT & 3]
    logical = "logical " if icr & apic.ICR_LOGICAL else ""
    destination = icr >> 32 if x2apic else icr >> 56
    whom = shorthand or f"{logical}{destination:#x}"
    return f"vector {icr & apic.ICR_VECTOR:#04x}, {MODES[icr >> apic.ICR_MODE_SHIFT & 7]}, to {whom}"


def _local(name: str, entry: int) -> str:
    masked = ", masked" if entry & apic.LVT_MASKED else ""
    return (
        f"{name:9} vector {entry & apic.LVT_VECTOR:#04x}, {MODES[entry >> apic.LVT_MODE_SHIFT & 7]}{masked}"
    )


def apic_lines(record: np.void, now: int) -> Iterator[str]:
    """Yield what a local APIC holds; `now` in cycles."""
    base = int(record["base"])
    kind = "x2APIC" if base & apic.BASE_EXTD else "xAPIC" if base & apic.BASE_EN else "off"
    on = "enabled" if int(record["svr"]) & apic.SVR_ENABLE else "disabled by software"
    yield f"APIC ID   {int(record['id']):#x}, {kind}, {on}"
    for name in ("irr", "isr", "tmr"):
        yield f"{name.upper():9} {_bitmap(record[name])}"
    deliverable = int(record["deliverable"])
    told = "nothing to deliver" if deliverable < 0 else f"{deliverable:#04x} can be delivered"
    yield f"TPR       {int(record['tpr']):#04x}, PPR {int(record['ppr']):#04x}: {told}"
    icr = int(record["icr"]) & (1 << 64) - 1
    yield f"ICR       {icr:#018x}: {_command(icr, x2apic=kind == 'x2APIC')}"
    for name, entry in zip(_LVT, record["lvt"].tolist(), strict=True):
        yield _local(name, entry)
    yield f"counter   {_timer(record, now)}"


def _timer(record: np.void, now: int) -> str:
    mode = _TIMER_MODES.get(int(record["lvt"][apic.TIMER]) & apic.LVT_TIMER_MODE, "one-shot")
    expiry = int(record["expiry"])
    due = "not running" if expiry >= NEVER else f"reaches zero at cycle {expiry}, in {expiry - now}"
    return f"{mode}, initial {int(record['initial']):#x}, {due}"
