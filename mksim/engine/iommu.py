"""The registers of the IOMMU's units: its owner's, as any chip's. What they start ends at once."""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.crossings import DMA_WRITE
from mksim.engine.dma import allowed, changed, is_memory
from mksim.engine.entry import outlined
from mksim.engine.interrupts import send_events
from mksim.engine.probe import note_dma
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE
from mksim.engine.remapping import SEGMENT_SHIFT, readable, unit_of, unit_owner, words
from mksim.hw import vtd, vtd_queue

_W = 2  # ownership.Rights.W
_WORD = 4
_PLACE = 0xFFFF
"""Of a unit in its segment, for the ledger: where no function is."""


@outlined(MACHINE)
def read_unit(machine: np.void, number: int, offset: int, size: int) -> int:
    """Read a register, 32 bits or both halves."""
    unit = unit_of(machine, number)
    low = vtd.read(unit, offset & ~3)
    return low if size <= _WORD else low | vtd.read(unit, (offset & ~3) + _WORD) << 32


@outlined(MACHINE)
def write_unit(machine: np.void, number: int, offset: int, size: int, value: int, now: int) -> None:
    """Write a register, 32 bits or both halves; what is in the invalidation queue then is done."""
    unit = unit_of(machine, number)
    vtd.write(unit, offset & ~3, value & 0xFFFFFFFF)
    if size > _WORD:
        vtd.write(unit, (offset & ~3) + _WORD, value >> 32)
    done = vtd_queue.step(unit, words(machine), readable(machine, number))
    while done != vtd_queue.IDLE:
        if done == vtd_queue.STATUS:
            write_status(machine, number, unit["status_address"], unit["status_data"], now)
        done = vtd_queue.step(unit, words(machine), readable(machine, number))
    send_events(machine, number, now)


@native
def write_status(machine: np.void, number: int, address: int, data: int, now: int) -> None:
    """Write 32 bits for a wait descriptor: DMA of the unit's owner, which no unit translates."""
    owner, place = unit_owner(machine, number), number << SEGMENT_SHIFT | _PLACE
    if not is_memory(machine, address, _WORD):
        return
    if owner >= 0 and not allowed(machine, owner, place, DMA_WRITE, _W, address, _WORD, now):
        return
    carray(pointer(machine["memory"] + address), 1, np.uint32)[0] = np.uint32(data)
    changed(machine, address, _WORD, now)
    if machine["debugger"] != 0:
        note_dma(machine, place, _W, address, _WORD)
