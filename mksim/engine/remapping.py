"""The IOMMU in its socket: one unit before each PCI segment, for its DMA and for its kernel's I/O APIC.

What a unit refuses is written down beside the ledger: nothing was reached that is another's. Its tables are
its owner's, and with `guard` it reads none that its owner could not.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import (
    DMA_FAULT,
    DMA_FAULTS,
    DMA_IN,
    DMA_INTERRUPT,
    DMA_OUT,
    MACHINE,
    engine_of,
    happen,
)
from mksim.hw import vtd, vtd_interrupts, vtd_walk
from mksim.hw.vtd import VTD
from mksim.hw.vtd_interrupts import AS_IT_IS, BLOCKED
from mksim.spec.memmap import PAGE_SHIFT
from mksim.spec.vtd import IOAPIC_SOURCE

SEGMENT_SHIFT = 16
_SOURCE = 0xFFFF


@native
def unit_of(machine: np.void, number: int) -> np.void:
    """Return the record of a unit."""
    return carray(pointer(machine["iommus"]), machine["n_iommus"], VTD)[number]


@native
def unit_owner(machine: np.void, number: int) -> np.int64:
    """Return who programs a unit: a kernel, or FIRMWARE."""
    return np.int64(carray(pointer(machine["iommu_owner"]), machine["n_iommus"], np.int16)[number])


@native
def words(machine: np.void) -> np.ndarray:
    """Return DRAM in words of 64 bits."""
    return carray(pointer(machine["memory"]), machine["memory_size"] >> 3, np.uint64)


@native
def readable(machine: np.void, number: int) -> np.ndarray:
    """Return by page whether a unit may read its tables there: with `guard` where its owner could."""
    owner = unit_owner(machine, number)
    whose = owner if machine["guard"] != 0 and owner >= 0 else np.int64(machine["kernels"])
    return carray(
        pointer(engine_of(machine, whose)["rights"]), machine["memory_size"] >> PAGE_SHIFT, np.uint8
    )


@outlined(MACHINE)
def translate(machine: np.void, place: int, address: int, write: bool, now: int) -> int:
    """Return where in memory a function's request goes; below zero if nowhere, and then the fault is kept."""
    if machine["n_iommus"] == 0:
        return vtd_walk.untranslated(address)
    number = place >> SEGMENT_SHIFT
    unit = unit_of(machine, number)
    where = vtd_walk.translate(
        unit, words(machine), readable(machine, number), place & _SOURCE, address, write
    )
    if where < 0:
        keep_fault(machine, unit, place, DMA_OUT if write else DMA_IN, now)
    return where


@native
def keep_fault(machine: np.void, unit: np.void, place: int, kind: int, now: int) -> None:
    """Write down the fault that a unit has just met, whether or not it found a register for it."""
    count = machine["dma_fault_count"]
    machine["dma_fault_count"] = count + 1
    happen(machine, (now << 20) ^ (place << 8) ^ (kind << 6) ^ (unit["fault_info"] << 1) ^ unit["reason"])
    if count < DMA_FAULTS:
        fault = carray(pointer(machine["dma_faults"]), DMA_FAULTS, DMA_FAULT)[count]
        fault["when"], fault["place"], fault["where"] = now, place, unit["fault_info"]
        fault["kind"], fault["reason"] = kind, unit["reason"]


@outlined(MACHINE)
def remap_message(machine: np.void, place: int, address: int, data: int, now: int) -> int:
    """Return what a function's message becomes: AS_IT_IS, BLOCKED, or as `vtd_interrupts` has it."""
    if machine["n_iommus"] == 0:
        return np.int64(AS_IT_IS)  # type: ignore[return-value]
    number = place >> SEGMENT_SHIFT
    unit = unit_of(machine, number)
    found = vtd_interrupts.remap_message(
        unit, words(machine), readable(machine, number), place & _SOURCE, address, data
    )
    if found == BLOCKED:
        keep_fault(machine, unit, place, DMA_INTERRUPT, now)
    return found


@outlined(MACHINE)
def remap_pin(machine: np.void, ioapic: int, entry: int, now: int) -> int:
    """Return what an I/O APIC's message becomes: as of `remap_message`."""
    number = ioapic_unit(machine, ioapic)
    if number < 0:
        return np.int64(AS_IT_IS)  # type: ignore[return-value]
    unit = unit_of(machine, number)
    found = vtd_interrupts.remap_pin(unit, words(machine), readable(machine, number), IOAPIC_SOURCE, entry)
    if found == BLOCKED:
        keep_fault(machine, unit, number << SEGMENT_SHIFT | IOAPIC_SOURCE, DMA_INTERRUPT, now)
    return found


@native
def ioapic_unit(machine: np.void, ioapic: int) -> np.int64:
    """Return the unit that an I/O APIC is behind, -1 if it is behind none."""
    if machine["n_iommus"] == 0:
        return np.int64(-1)
    return np.int64(carray(pointer(machine["ioapic_iommu"]), machine["n_ioapics"], np.int16)[ioapic])


@outlined(MACHINE)
def reset_units(machine: np.void, owner: int) -> None:
    """Reset the units of an owner; of everybody if that is the machine's number of kernels."""
    for number in range(machine["n_iommus"]):
        if owner == machine["kernels"] or unit_owner(machine, number) == owner:
            vtd.reset(unit_of(machine, number))
