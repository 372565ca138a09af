"""Memory as a debugger sees it: through a core's page tables, and leaving no trace (SDM vol. 3A, chapter 5).

No accessed bit is set, no device is asked, nothing is a crossing. Rights are not looked at: a debugger may.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mksim.machine.machine import Machine
from mksim.spec import memmap

_PG, _PAE, _PSE = 1 << 31, 1 << 5, 1 << 4
_LMA, _PROTECTED = 1 << 10, 1 << 0
_PRESENT, _LARGE = 1, 1 << 7
_FRAME = 0x000F_FFFF_FFFF_F000


class Step(NamedTuple):
    """One look into a page table."""

    level: int
    where: int
    """Physical address of the entry."""
    entry: int


class Walk(NamedTuple):
    """Where a linear address leads to; None if nowhere."""

    steps: tuple[Step, ...]
    physical: int | None


class Physical:
    """The machine's memory and ROM by physical addresses."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def _place(self, address: int) -> np.ndarray | None:
        """Return what lies from an address to the end of its page, if that is memory."""
        size = memmap.PAGE - address % memmap.PAGE
        memory, rom = self._machine.board.memory, self._machine.rom
        for base in (memmap.ROM, memmap.ROM_ALIAS):
            if base <= address < base + memmap.ROM_SIZE:
                return rom[address - base :][:size]
        legacy = memmap.LOW_DRAM_END <= address < memmap.HIGH_DRAM
        if legacy and not memmap.SCREEN <= address < memmap.SCREEN + memmap.SCREEN_SIZE:
            return None
        return memory[address:][:size] if address < len(memory) else None

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of one page; fewer where there is no memory."""
        place = self._place(address)
        return b"" if place is None else place[:size].tobytes()

    def write(self, address: int, data: bytes) -> bool:
        """Change bytes of one page of DRAM; the ROM's are what they are."""
        place = self._place(address)
        if place is None or len(place) < len(data) or address >= len(self._machine.board.memory):
            return False
        place[: len(data)] = np.frombuffer(data, np.uint8)
        return True

    def word(self, address: int, size: int) -> int:
        """Return an entry of a page table; one that is nowhere is not present."""
        return int.from_bytes(self.read(address, size), "little")


def walk(memory: Physical, env: np.void, linear: int) -> Walk:
    """Translate a linear address by the state of a core."""
    control = [int(value) for value in env["cr"]]
    if not control[0] & _PG or not control[0] & _PROTECTED:
        return Walk((), linear & 0xFFFF_FFFF)
    if int(env["efer"]) & _LMA:
        if (linear + (1 << 47)) & (1 << 64) - 1 >= 1 << 48:
            return Walk((), None)  # not canonical
        return _walk(memory, linear, control[3] & _FRAME, (39, 30, 21, 12), 9, 8)
    if control[4] & _PAE:
        return _walk(memory, linear & 0xFFFF_FFFF, control[3] & 0xFFFF_FFE0, (30, 21, 12), 9, 8)
    return _walk(memory, linear & 0xFFFF_FFFF, control[3] & 0xFFFF_F000, (22, 12), 10, 4)


def _walk(memory: Physical, linear: int, table: int, shifts: tuple[int, ...], bits: int, size: int) -> Walk:
    steps: list[Step] = []
    for shift in shifts:
        where = table + (linear >> shift & (1 << bits) - 1) * size
        entry = memory.word(where, size)
        steps.append(Step((shift - 12) // bits + 1, where, entry))
        if not entry & _PRESENT:
            return Walk(tuple(steps), None)
        table = entry & _FRAME
        if shift > 12 and entry & _LARGE and shift in (21, 22, 30):
            inside = (1 << shift) - 1
            return Walk(tuple(steps), (table & ~inside) | linear & inside)
    return Walk(tuple(steps), table | linear & memmap.PAGE - 1)


def pieces(memory: Physical, env: np.void, linear: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield (physical address, bytes) of a range, page by page, as far as it is mapped."""
    while size > 0:
        part = min(size, memmap.PAGE - linear % memmap.PAGE)
        physical = walk(memory, env, linear).physical
        if physical is None:
            return
        yield physical, part
        linear, size = linear + part, size - part
