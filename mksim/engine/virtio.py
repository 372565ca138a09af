"""Virtio devices in their sockets: their registers, and what they do when their drivers have notified them.

What interrupts that asks for is in their records; `devices` sends them.
"""

import numpy as np
from numba import carray

from mksim.clock.time import scale
from mksim.compiled import native
from mksim.engine.disks import block_of, serve_disk
from mksim.engine.entry import outlined
from mksim.engine.nics import nic_of, receive, serve_nic
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE
from mksim.engine.serial import show
from mksim.engine.virtqueue import conclude, gather, give_back, scatter, take, usable, virtio_of, waiting
from mksim.hw import msix, virtio_blk, virtio_net, virtio_pci, virtio_rng
from mksim.hw.pci_config import BLOCK, CONSOLE, FUNCTION, NIC
from mksim.hw.virtio_pci import VIRTIO
from mksim.hw.virtio_rng import ENTROPY
from mksim.spec import virtio as spec
from mksim.spec import virtio_net as net_spec

_ONES = -1
_SECOND = 1_000_000_000


@native
def entropy_of(machine: np.void, unit: int) -> np.void:
    """Return the record of entropy device number `unit`."""
    return carray(pointer(machine["entropies"]), machine["n_virtios"], ENTROPY)[unit]


@outlined(MACHINE, FUNCTION)
def power_up_virtio(machine: np.void, f: np.void) -> None:
    """Reset the device behind a function, as by power."""
    v, look = virtio_of(machine, f["unit"]), spec.REQUEST_NS
    offered, queues = 0, 1
    if f["kind"] == BLOCK:
        offered = virtio_blk.features(block_of(machine, f["unit"]))
    elif f["kind"] == NIC:
        n, look = nic_of(machine, f["unit"]), net_spec.LOOK_NS
        offered, queues = virtio_net.features(n), virtio_net.queues(n)
        virtio_net.power_up(n)
    elif f["kind"] == CONSOLE:
        queues = spec.CONSOLE_QUEUES
    takes = max(scale(look, machine["rate"], _SECOND), machine["latency"], 1)
    offered |= spec.ACCESS_PLATFORM if machine["n_iommus"] != 0 else 0
    virtio_pci.power_up(v, offered, queues, takes)


@outlined(MACHINE, FUNCTION)
def read_virtio(machine: np.void, f: np.void, bar: int, offset: int, size: int) -> int:
    """Read a register of a virtio device, or of its table of messages."""
    v, part = virtio_of(machine, f["unit"]), offset & -spec.PART
    if bar == spec.MSIX_BAR:
        return msix.read(v["messages"], offset) if size == 4 and offset & 3 == 0 else _ONES
    if part == spec.COMMON_AT and offset < spec.COMMON_SIZE:
        return virtio_pci.read(v, offset, size)
    if part == spec.DEVICE_AT:
        return read_config(machine, f, offset - part, size)
    return virtio_pci.take_isr(v) if offset == spec.ISR_AT else 0


@native
def read_config(machine: np.void, f: np.void, offset: int, size: int) -> int:
    """Read a device's own configuration."""
    if f["kind"] == BLOCK:
        return virtio_blk.read_config(block_of(machine, f["unit"]), offset, size)
    return virtio_net.read_config(nic_of(machine, f["unit"]), offset, size) if f["kind"] == NIC else 0


@outlined(MACHINE, FUNCTION)
def write_virtio(
    machine: np.void, f: np.void, bar: int, offset: int, size: int, value: int, now: int
) -> None:
    """Write a register of a virtio device, or of its table of messages."""
    v = virtio_of(machine, f["unit"])
    if bar == spec.MSIX_BAR:
        if size == 4 and offset & 3 == 0:
            msix.write(v["messages"], offset, value)
    elif offset < spec.COMMON_SIZE:
        if virtio_pci.write(v, offset, size, value) and f["kind"] == NIC:
            virtio_net.reset(nic_of(machine, f["unit"]))
    elif offset & -spec.PART == spec.NOTIFY_AT:
        virtio_pci.notify(v, value & 0xFFFF, now)


@native
def virtio_due(machine: np.void, f: np.void) -> int:
    """Return when a virtio device does something by itself."""
    due = virtio_of(machine, f["unit"])["due"]
    return min(due, nic_of(machine, f["unit"])["arrives"]) if f["kind"] == NIC else due


@outlined(MACHINE, FUNCTION)
def tick_virtio(machine: np.void, f: np.void, now: int) -> None:
    """Let a virtio device do what is due: receive, and look at the queues that it was notified of."""
    v = virtio_of(machine, f["unit"])
    if f["kind"] == NIC:
        receive(machine, f, v, now)
    if v["due"] > now:
        return
    which, later = virtio_pci.take_kicked(v), 0
    while which >= 0:
        if serve(machine, f, v, which, now):
            later |= 1 << which
        which = virtio_pci.take_kicked(v)
    for number in range(v["count"]):
        if later >> number & 1:
            virtio_pci.notify(v, number, now)


@native
def serve(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> bool:
    """Look at a queue; return whether there is more in it than one look is for."""
    if not usable(f, v, which):
        return False
    if f["kind"] == BLOCK:
        return serve_disk(machine, f, v, which, now)
    if f["kind"] == CONSOLE:
        return which == spec.CONSOLE_TRANSMIT and serve_console(machine, f, v, which, now)
    if f["kind"] == NIC:
        serve_nic(machine, f, v, which, now)
    else:
        serve_entropy(machine, f, v, which, now)
    return False


@outlined(MACHINE, FUNCTION, VIRTIO)
def serve_entropy(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> None:
    """Fill what room there is with random bytes, a page of each chain at most."""
    done, source = 0, entropy_of(machine, f["unit"])
    for _ in range(waiting(machine, f, v, which, now)):
        if not take(machine, f, v, which, now):
            break
        size = min(v["chain"]["writable"], spec.STAGE)
        virtio_rng.fill(source, v["staged"], size)
        whole = scatter(machine, f, v, 0, v["staged"].ctypes.data, size, now)
        give_back(machine, f, v, which, size if whole else np.int64(0), now)
        done += 1
    conclude(machine, f, v, which, done, now)


@outlined(MACHINE, FUNCTION, VIRTIO)
def serve_console(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> bool:
    """Put what the driver says on its kernel's console: a page of each request, and in each look, at most."""
    done, said = 0, 0
    count = waiting(machine, f, v, which, now)
    while done < count and said < spec.STAGE and take(machine, f, v, which, now):
        size = min(v["chain"]["readable"], spec.STAGE)
        if gather(machine, f, v, 0, v["staged"].ctypes.data, size, now):
            for at in range(size):
                show(machine, f["owner"], np.int64(v["staged"][at]), now)
        said += size
        give_back(machine, f, v, which, 0, now)
        done += 1
    conclude(machine, f, v, which, done, now)
    return v["failed"] == 0 and done < count
