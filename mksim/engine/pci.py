"""PCI in its socket: configuration by ports and by memory, and the memory of functions.

A segment belongs to one kernel, with all functions in it: whoever else touches their configuration or their
memory, crosses. Segment 0 is of the owner of the legacy chips, and the one that the ports reach.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.crossings import CONFIG_WRITE, cross, exact_rip
from mksim.engine.devices import (
    functions,
    read_device,
    rearm_devices,
    reconfigured,
    reset_function,
    write_device,
)
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE
from mksim.hw import pci_bars, pci_config
from mksim.hw.pci_config import PCI
from mksim.spec.pci import (
    BASE_ADDRESS,
    BASE_ADDRESSES,
    BUS_SHIFT,
    ECAM_SHIFT,
    ENABLE,
    INTERRUPT_LINE,
    SPACE,
)

_SEGMENT_SHIFT = 16
_ONES = -1


@native
def pci_of(machine: np.void) -> np.void:
    """Return the record of configuration mechanism 1."""
    return carray(pointer(machine["pci"]), 1, PCI)[0]


@native
def ecam_place(offset: int) -> int:
    """Return the place of the function whose page is at an offset of the ECAM."""
    number = offset >> ECAM_SHIFT
    segment = number >> BUS_SHIFT
    return segment << _SEGMENT_SHIFT | number & ((1 << BUS_SHIFT) - 1)


@native
def ecam_owner(machine: np.void, offset: int) -> np.int64:
    """Return who owns the segment at an offset of the ECAM: its host bridge has the segment's number."""
    return np.int64(functions(machine)[offset >> (ECAM_SHIFT + BUS_SHIFT)]["owner"])


@outlined(MACHINE)
def read_ecam(machine: np.void, offset: int, size: int) -> int:
    """Read configuration by its address in memory, up to the end of a doubleword."""
    register = offset & (SPACE - 1)
    return pci_config.read(functions(machine), ecam_place(offset), register, min(size, 4 - (register & 3)))


@outlined(ENGINE, MACHINE)
def write_ecam(engine: np.void, machine: np.void, offset: int, size: int, value: int) -> None:
    """Write configuration by its address in memory, up to the end of a doubleword."""
    register = offset & (SPACE - 1)
    length, place = min(size, 4 - (register & 3)), ecam_place(offset)
    pci_config.write(functions(machine), place, register, length, value)
    configured(engine, machine, pci_config.find(functions(machine), place), register)


@outlined(ENGINE, MACHINE)
def write_data_port(engine: np.void, machine: np.void, lane: int, size: int, value: int) -> None:
    """Write configuration by the ports."""
    host = pci_of(machine)
    pci_config.write_data(host, functions(machine), lane, size, value)
    if host["address"] & ENABLE:
        place = pci_config.place(host)
        configured(engine, machine, pci_config.find(functions(machine), place), host["address"] & 0xFF)


@outlined(ENGINE, MACHINE)
def configured(engine: np.void, machine: np.void, index: int, register: int) -> None:
    """Let a function follow a write to its configuration. What another's memory is in the way of, crosses."""
    if index < 0:
        return
    every, f = functions(machine), functions(machine)[index]
    if pci_config.take_reset(f):
        reset_function(machine, index, engine["time"])
        rearm_devices(machine)
    if register < INTERRUPT_LINE:
        met = pci_bars.remap(every, index)
        if met >= 0 and every[met]["owner"] != f["owner"]:
            bar = max(0, min(BASE_ADDRESSES - 1, (register - BASE_ADDRESS) >> 2))
            where, target = pci_bars.asked(f, bar), np.int64(every[met]["owner"])
            rip = exact_rip(engine)
            cross(machine, engine["core"], engine["time"], rip, CONFIG_WRITE, where, 4, target, False)
    reconfigured(machine, f, engine["time"])


@outlined(MACHINE)
def memory_owner(machine: np.void, address: int) -> np.int64:
    """Return who owns the function that answers at an address of PCI memory, -1 if none does."""
    found = pci_bars.answering(functions(machine), address)
    return np.int64(functions(machine)[found // BASE_ADDRESSES]["owner"] if found >= 0 else -1)


@outlined(ENGINE, MACHINE)
def read_memory(engine: np.void, machine: np.void, address: int, size: int) -> int:
    """Read from PCI memory; ones where nobody answers."""
    every = functions(machine)
    found = pci_bars.answering(every, address)
    if found < 0:
        return _ONES
    f, bar = every[found // BASE_ADDRESSES], found % BASE_ADDRESSES
    return read_device(engine, machine, f, bar, address - f["bar_base"][bar], size)


@outlined(ENGINE, MACHINE)
def write_memory(engine: np.void, machine: np.void, address: int, size: int, value: int) -> None:
    """Write to PCI memory."""
    every = functions(machine)
    found = pci_bars.answering(every, address)
    if found >= 0:
        f, bar = every[found // BASE_ADDRESSES], found % BASE_ADDRESSES
        write_device(engine, machine, f, bar, address - f["bar_base"][bar], size, value)
