"""Ivshmem devices in their sockets: doorbells from one kernel to another, and the table of everybody's state.

The shared memory itself is a window, which the fabric grants. To be a peer is to have agreed to be rung: a
doorbell is a granted crossing, and is heard no sooner than a message between kernels.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.crossings import DOORBELL, cross, exact_rip
from mksim.engine.dma import changed
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE, happen
from mksim.hw import ivshmem, msix, pci_config
from mksim.hw.ivshmem import IVSHMEM
from mksim.hw.pci_config import FUNCTION
from mksim.spec import ivshmem as spec

_WORD = 4


@native
def link_of(machine: np.void, unit: int) -> np.void:
    """Return the record of ivshmem device number `unit`."""
    return carray(pointer(machine["ivshmems"]), machine["n_ivshmems"], IVSHMEM)[unit]


@native
def read_link(machine: np.void, f: np.void, bar: int, offset: int, size: int) -> int:
    """Read a register of an ivshmem device, or of its table of messages."""
    d = link_of(machine, f["unit"])
    if bar == spec.MSIX_BAR:
        return msix.read(d["messages"], offset) if size == _WORD and offset & 3 == 0 else 0
    return ivshmem.read(d, offset, size)


@outlined(ENGINE, MACHINE, FUNCTION)
def write_link(
    engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int, value: int
) -> None:
    """Write a register of an ivshmem device, or of its table of messages; all have 32 bits."""
    d, value = link_of(machine, f["unit"]), value & 0xFFFFFFFF
    if size != _WORD or offset & 3:
        return
    if bar == spec.MSIX_BAR:
        msix.write(d["messages"], offset, value)
    elif offset == spec.INTERRUPTS:
        d["enabled"] = value & spec.INTERRUPTS_ENABLED
    elif offset == spec.DOORBELL:
        ring(engine, machine, d, value >> spec.TARGET_SHIFT, value & spec.VECTOR)
    elif offset == spec.STATE and ivshmem.change(d, value, engine["time"] + machine["latency"]):
        ring(engine, machine, d, -1, 0)


@native
def ring(engine: np.void, machine: np.void, d: np.void, target: int, vector: int) -> None:
    """Ring a peer's doorbell, or with target -1 all others'."""
    now = engine["time"]
    for unit in range(machine["n_ivshmems"]):
        other = link_of(machine, unit)
        meant = other["id"] != d["id"] if target < 0 else other["id"] == target
        if other["link"] != d["link"] or not meant:
            continue
        ivshmem.ring(other, vector, now + machine["latency"])
        if other["owner"] != d["owner"]:
            cross(machine, engine["core"], now, exact_rip(engine), DOORBELL, vector, 0, other["owner"], True)


@outlined(MACHINE, FUNCTION)
def tick_link(machine: np.void, f: np.void, now: int) -> None:
    """Let doorbells be heard, and the table show a new state."""
    d = link_of(machine, f["unit"])
    if d["shows"] <= now:
        show_state(machine, d, now)
    control = pci_config.register(f, spec.CAPABILITY_AT + spec.CONTROL_AT, 1)
    vector = ivshmem.heard(d, now)
    while vector >= 0:
        happen(machine, (now << 20) ^ (f["place"] << 4) ^ vector)
        ivshmem.interrupt(d, vector, control & spec.ONE_SHOT != 0)
        vector = ivshmem.heard(d, now)


@native
def show_state(machine: np.void, d: np.void, now: int) -> None:
    """Write a device's state into the table."""
    ivshmem.shown(d)
    where = d["table"] + _WORD * d["id"]
    entry = carray(pointer(machine["memory"] + where), 1, np.uint32)
    if entry[0] == np.uint32(d["state"]):
        return  # so at power-on, when nobody has translated anything yet
    entry[0] = np.uint32(d["state"])
    changed(machine, where, _WORD, now)


@outlined(MACHINE, FUNCTION)
def power_up_link(machine: np.void, f: np.void, now: int) -> None:
    """Reset an ivshmem device: its state is 0, and the table shows it later. The others are not told."""
    d = link_of(machine, f["unit"])
    ivshmem.power_up(d)
    if now > 0:
        d["shows"] = now + machine["latency"]
