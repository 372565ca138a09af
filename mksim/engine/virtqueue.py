"""Virtqueues by DMA: every virtio device takes its driver's requests here. Virtio 1.1, 2.6.

Every number of a ring is the driver's word and checked as such. A ring that makes no sense, or lies where the
device must not reach, sets `failed`, and the device then wants a reset. A look at a queue takes no more
chains than the queue has entries, and a chain has no more segments.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.dma import dma_read, dma_write
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE
from mksim.hw import pci_config, virtio_pci, virtqueue
from mksim.hw.pci_config import FUNCTION
from mksim.hw.virtio_pci import VIRTIO
from mksim.spec import virtio as spec


@native
def virtio_of(machine: np.void, unit: int) -> np.void:
    """Return what virtio device number `unit` has in common with all others."""
    return carray(pointer(machine["virtios"]), machine["n_virtios"], VIRTIO)[unit]


@native
def usable(f: np.void, v: np.void, number: int) -> bool:
    """Tell whether a device may work on a queue of its."""
    return virtio_pci.works(v, number) and pci_config.is_master(f)


@native
def fetch(machine: np.void, f: np.void, v: np.void, address: int, size: int, now: int) -> None:
    """Read bytes of a queue's from memory to `staged`; where that is refused, the queue has failed."""
    if not dma_read(machine, f, address, v["staged"], 0, size, now):
        v["failed"] = 1


@native
def number(v: np.void, at: int, size: int) -> int:
    """Return a number in `staged`, signed if it has eight bytes."""
    return virtqueue.number(v["staged"], at, size)


@native
def give(machine: np.void, f: np.void, v: np.void, address: int, size: int, value: int, now: int) -> None:
    """Write a number of the queue's to memory."""
    for byte in range(size):
        v["staged"][byte] = value >> (8 * byte) & 0xFF
    if not dma_write(machine, f, address, v["staged"], 0, size, now):
        v["failed"] = 1


@outlined(MACHINE, FUNCTION, VIRTIO)
def waiting(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> int:
    """Return how many chains the driver has made available that were not taken."""
    queue = v["queues"][which]
    v["failed"] = 0
    fetch(machine, f, v, queue["driver"] + 2, 2, now)
    count = number(v, 0, 2) - queue["seen"] & 0xFFFF
    if count > queue["size"]:
        v["failed"] = 1
    return count if v["failed"] == 0 else np.int64(0)  # type: ignore[return-value]


@outlined(MACHINE, FUNCTION, VIRTIO)
def take(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> bool:
    """Take the next chain that is available; False if it makes no sense."""
    queue, chain = v["queues"][which], v["chain"]
    fetch(machine, f, v, queue["driver"] + 4 + 2 * (queue["seen"] % queue["size"]), 2, now)
    queue["seen"] = queue["seen"] + 1 & 0xFFFF
    virtqueue.begin(chain, number(v, 0, 2), queue["table"], queue["size"])
    indirect = virtio_pci.has(v, spec.INDIRECT_TABLES)
    while v["failed"] == 0 and not virtqueue.ended(chain):
        at = virtqueue.where(chain)
        if at == -1:
            v["failed"] = 1
            break
        fetch(machine, f, v, at, spec.TABLE_ENTRY, now)
        address, length, flags, following = (
            number(v, 0, 8),
            number(v, 8, 4),
            number(v, 12, 2),
            number(v, 14, 2),
        )
        if not virtqueue.take(chain, address, length, flags, following, queue["size"], indirect):
            v["failed"] = 1
    return v["failed"] == 0


@outlined(MACHINE, FUNCTION, VIRTIO)
def give_back(machine: np.void, f: np.void, v: np.void, which: int, written: int, now: int) -> None:
    """Give the chain at hand back to the driver, with so many bytes written."""
    queue = v["queues"][which]
    at = queue["device"] + 4 + 8 * (queue["used"] % queue["size"])
    give(machine, f, v, at, 8, written << 32 | v["chain"]["head"], now)
    queue["used"] = queue["used"] + 1 & 0xFFFF
    give(machine, f, v, queue["device"] + 2, 2, queue["used"], now)


@outlined(MACHINE, FUNCTION, VIRTIO)
def conclude(machine: np.void, f: np.void, v: np.void, which: int, done: int, now: int) -> None:
    """End a look at a queue: interrupt if chains were given back and the driver wants that, or fail."""
    if v["failed"] == 0 and done > 0:
        fetch(machine, f, v, v["queues"][which]["driver"], 2, now)
        if v["failed"] == 0 and not number(v, 0, 2) & spec.AVAILABLE_NO_INTERRUPT:
            virtio_pci.finish(v, which)
    if v["failed"] != 0:
        virtio_pci.fail(v)


@native
def gather(machine: np.void, f: np.void, v: np.void, offset: int, to: int, size: int, now: int) -> bool:
    """Read what the chain at hand has for the device, from `offset` on, to a place of the host's.

    False if some of it was not to be had.
    """
    return move(machine, f, v, 0, v["chain"]["outs"], offset, to, size, False, now) != 0


@native
def scatter(machine: np.void, f: np.void, v: np.void, offset: int, source: int, size: int, now: int) -> bool:
    """Write bytes of the host's to where the chain at hand has room, from `offset` on.

    False if some of them did not get there.
    """
    return move(machine, f, v, v["chain"]["outs"], v["chain"]["count"], offset, source, size, True, now) != 0


@outlined(MACHINE, FUNCTION, VIRTIO)
def move(
    machine: np.void,
    f: np.void,
    v: np.void,
    segment: int,
    last: int,
    offset: int,
    host: int,
    size: int,
    write: bool,
    now: int,
) -> bool:
    """Move bytes between the host and segments of the chain at hand, up to `last`; False if some did not."""
    chain, whole, at = v["chain"], True, 0
    here = carray(pointer(host), size, np.uint8)
    while at < size and segment < last:
        step = min(size - at, chain["length"][segment] - offset)
        if step > 0:
            where = chain["address"][segment] + offset
            if write:
                done = dma_write(machine, f, where, here, at, step, now)
            else:
                done = dma_read(machine, f, where, here, at, step, now)
            whole = whole and done
            at += step
        offset = max(0, offset - chain["length"][segment])
        segment += 1
    return whole and at == size
