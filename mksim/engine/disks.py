"""Virtio block devices: what a driver asks for, done by DMA. Virtio 1.1, 5.2.6.

A request for memory that is refused ends in an I/O error. What a request and a look at the queue may move is
bounded.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.entry import outlined
from mksim.engine.qemu import msync, pointer
from mksim.engine.records import MACHINE, happen
from mksim.engine.virtqueue import conclude, gather, give_back, scatter, take, waiting
from mksim.hw import virtio_blk
from mksim.hw.pci_config import FUNCTION
from mksim.hw.virtio_blk import BLOCK
from mksim.hw.virtio_pci import VIRTIO
from mksim.spec import virtio as spec

_REQUEST_MAX = 4 << 20
_LOOK_MAX = 16 << 20
_SYNC = 4  # MS_SYNC


@native
def block_of(machine: np.void, unit: int) -> np.void:
    """Return the record of block device number `unit`."""
    return carray(pointer(machine["blocks"]), machine["n_blocks"], BLOCK)[unit]


@outlined(MACHINE, FUNCTION, VIRTIO)
def serve_disk(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> bool:
    """Do what is in the queue; return whether there is more, for another look."""
    b, done, moved = block_of(machine, f["unit"]), 0, 0
    count = waiting(machine, f, v, which, now)
    while done < count and moved < _LOOK_MAX and take(machine, f, v, which, now):
        moved += v["chain"]["readable"] + v["chain"]["writable"]
        written = request(machine, f, v, b, now)
        if v["failed"] != 0:
            break
        give_back(machine, f, v, which, written, now)
        done += 1
    conclude(machine, f, v, which, done, now)
    return v["failed"] == 0 and done < count


@native
def request(machine: np.void, f: np.void, v: np.void, b: np.void, now: int) -> int:
    """Do a request; return how many bytes the driver finds written, the status with them."""
    chain = v["chain"]
    outgoing, incoming = chain["readable"] - spec.BLOCK_HEADER, chain["writable"] - 1
    if outgoing < 0 or incoming < 0:
        v["failed"] = 1
        return 0
    if not gather(machine, f, v, 0, b["header"].ctypes.data, spec.BLOCK_HEADER, now):
        v["failed"] = 1
        return 0
    result = (
        spec.BLOCK_ERROR if outgoing + incoming > _REQUEST_MAX else virtio_blk.accepts(b, outgoing, incoming)
    )
    if result == spec.BLOCK_OK:
        result = do(machine, f, v, b, outgoing + incoming, now)
    happen(machine, (now << 20) ^ (virtio_blk.kind(b) << 8) ^ (virtio_blk.sector(b) << 10) ^ result)
    v["staged"][0] = result
    if not scatter(machine, f, v, incoming, v["staged"].ctypes.data, 1, now):
        v["failed"] = 1
    return incoming + 1 if result == spec.BLOCK_OK else np.int64(1)  # type: ignore[return-value]


@native
def do(machine: np.void, f: np.void, v: np.void, b: np.void, size: int, now: int) -> int:
    """Do what a request asks for, that is possible; return the status."""
    kind, at = virtio_blk.kind(b), virtio_blk.sector(b) * spec.SECTOR
    whole = True
    if kind == spec.BLOCK_READ:
        whole = scatter(machine, f, v, 0, b["contents"] + at, size, now)
    elif kind == spec.BLOCK_WRITE:
        whole = store(machine, f, v, b["contents"] + at, size, now)
    elif kind == spec.BLOCK_ID:
        whole = identify(machine, f, v, size, now)
    elif b["kept"] != 0:
        msync(np.uint64(b["contents"]), np.uint64(b["sectors"] * spec.SECTOR), np.int32(_SYNC))
    return spec.BLOCK_OK if whole else spec.BLOCK_ERROR


@native
def store(machine: np.void, f: np.void, v: np.void, to: int, size: int, now: int) -> bool:
    """Write memory to the disk, as far as it could be read."""
    offset = spec.BLOCK_HEADER
    while size > 0:
        step = min(size, spec.STAGE)
        if not gather(machine, f, v, offset, v["staged"].ctypes.data, step, now):
            return False
        carray(pointer(to), step, np.uint8)[:] = v["staged"][:step]
        offset, to, size = offset + step, to + step, size - step
    return True


@native
def identify(machine: np.void, f: np.void, v: np.void, size: int, now: int) -> bool:
    """Write the disk's name to memory."""
    v["staged"][: spec.ID_SIZE] = 0
    for index in range(len(spec.NAME)):
        v["staged"][index] = spec.NAME[index]
    return scatter(machine, f, v, 0, v["staged"].ctypes.data, min(size, spec.ID_SIZE), now)
