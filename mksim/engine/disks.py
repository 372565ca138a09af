"""A virtio block device's queue: what its driver asks for, done by DMA. Virtio 1.1, 2.6 and 5.2.6.

Every descriptor is the driver's word and checked as such: a ring that makes no sense ends in
DEVICE_NEEDS_RESET, and a request for memory that is refused in an I/O error. What a request and a look at the
queue may move is bounded.

Left out: other framing than a descriptor for the header and a last one that ends with the status.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.dma import dma_read, dma_write
from mksim.engine.qemu import msync, pointer
from mksim.engine.records import happen
from mksim.hw import pci_config, virtio_blk, virtio_pci
from mksim.spec import virtio as spec

_REQUEST_MAX = 4 << 20
_LOOK_MAX = 16 << 20
_STAGE = 4096
_SYNC = 4  # MS_SYNC


@native
def serve(machine: np.void, f: np.void, b: np.void, now: int) -> bool:
    """Do what is in the queue; return whether its driver is to be interrupted."""
    b["due"], b["failed"], v = NEVER, 0, b["transport"]
    if not virtio_pci.runs(v) or not pci_config.is_master(f):
        return False
    quiet = fetch(machine, f, b, v["driver"], 2, now) & spec.AVAILABLE_NO_INTERRUPT
    available = fetch(machine, f, b, v["driver"] + 2, 2, now)
    if (available - v["seen"]) & 0xFFFF > v["size"]:
        b["failed"] = 1
    done, moved = 0, 0
    while b["failed"] == 0 and v["seen"] != available and moved < _LOOK_MAX:
        moved += do_next(machine, f, b, now)
        done += 1
    if b["failed"] != 0:
        virtio_pci.fail(v)
        return False
    if v["seen"] != available:
        b["due"] = now + b["takes"]
    if done > 0:
        v["isr"] |= spec.ISR_QUEUE
    return done > 0 and quiet == 0


@native
def fetch(machine: np.void, f: np.void, b: np.void, address: int, size: int, now: int) -> int:
    """Read a number of the queue's from memory; where that is refused, the queue has failed."""
    if not dma_read(machine, f, address, b["staged"], 0, size, now):
        b["failed"] = 1
        return 0
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(b["staged"][byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba


@native
def give(machine: np.void, f: np.void, b: np.void, address: int, size: int, value: int, now: int) -> None:
    """Write a number of the queue's to memory."""
    for byte in range(size):
        b["staged"][byte] = value >> (8 * byte) & 0xFF
    if not dma_write(machine, f, address, b["staged"], 0, size, now):
        b["failed"] = 1


@native
def do_next(machine: np.void, f: np.void, b: np.void, now: int) -> int:
    """Do the request that is next in the queue, and give it back; return how many bytes it has moved."""
    v = b["transport"]
    head = fetch(machine, f, b, v["driver"] + 4 + 2 * (v["seen"] % v["size"]), 2, now)
    v["seen"] = v["seen"] + 1 & 0xFFFF
    written = request(machine, f, b, head, now)
    if b["failed"] == 0:
        give(machine, f, b, v["device"] + 4 + 8 * (v["used"] % v["size"]), 8, written << 32 | head, now)
        v["used"] = v["used"] + 1 & 0xFFFF
        give(machine, f, b, v["device"] + 2, 2, v["used"], now)
    return b["moved"]


@native
def descriptor(machine: np.void, f: np.void, b: np.void, index: int, now: int) -> None:
    """Read a descriptor into `address`, `length`, `flags` and `next`."""
    at = b["transport"]["table"] + spec.TABLE_ENTRY * index
    if index >= b["transport"]["size"]:
        b["failed"] = 1
        return
    b["address"] = fetch(machine, f, b, at, 8, now)
    b["length"] = fetch(machine, f, b, at + 8, 4, now)
    b["flags"] = fetch(machine, f, b, at + 12, 2, now)
    b["next"] = fetch(machine, f, b, at + 14, 2, now)
    if b["flags"] & spec.INDIRECT:
        b["failed"] = 1


@native
def begin(machine: np.void, f: np.void, b: np.void, head: int, now: int) -> None:
    """Read a request's first descriptor and its header."""
    b["moved"] = 0
    descriptor(machine, f, b, head, now)
    whole = b["length"] == spec.BLOCK_HEADER and b["flags"] & (spec.NEXT | spec.WRITE) == spec.NEXT
    if b["failed"] != 0 or not whole:
        b["failed"] = 1
    elif not dma_read(machine, f, b["address"], b["header"], 0, spec.BLOCK_HEADER, now):
        b["failed"] = 1


@native
def request(machine: np.void, f: np.void, b: np.void, head: int, now: int) -> int:
    """Do a request; return how many bytes the driver finds written."""
    begin(machine, f, b, head, now)
    kind, written, result = virtio_blk.kind(b), 0, accepts(b)
    at = virtio_blk.sector(b) * spec.SECTOR if result == spec.BLOCK_OK else np.int64(0)
    steps = 0
    while b["failed"] == 0 and b["flags"] & spec.NEXT:
        steps += 1
        descriptor(machine, f, b, b["next"], now)
        last = b["flags"] & spec.NEXT == 0
        size = b["length"] - 1 if last else b["length"]
        if steps >= b["transport"]["size"] or (last and (size < 0 or not b["flags"] & spec.WRITE)):
            b["failed"] = 1
        elif size > 0 and result == spec.BLOCK_OK:
            result = move(machine, f, b, kind, at, size, now)
            at, b["moved"] = at + size, b["moved"] + size
            written += size if b["flags"] & spec.WRITE else 0
    if b["failed"] != 0:
        return 0
    if kind == spec.BLOCK_FLUSH_REQUEST and b["kept"] != 0:
        msync(np.uint64(b["contents"]), np.uint64(b["sectors"] * spec.SECTOR), np.int32(_SYNC))
    happen(machine, (now << 20) ^ (kind << 8) ^ (at << 1) ^ result)
    give(machine, f, b, b["address"] + b["length"] - 1, 1, result, now)
    return written + 1


@native
def accepts(b: np.void) -> int:
    """Return the status of a request as far as its header decides it."""
    kind = virtio_blk.kind(b)
    if kind in (spec.BLOCK_FLUSH_REQUEST, spec.BLOCK_ID):
        return spec.BLOCK_OK
    if kind not in (spec.BLOCK_READ, spec.BLOCK_WRITE):
        return spec.BLOCK_UNSUPPORTED
    there = 0 <= virtio_blk.sector(b) <= b["sectors"]
    return spec.BLOCK_OK if there and (kind == spec.BLOCK_READ or not b["read_only"]) else spec.BLOCK_ERROR


@native
def move(machine: np.void, f: np.void, b: np.void, kind: int, at: int, size: int, now: int) -> int:
    """Move the bytes of one descriptor between memory and the disk; return the status."""
    to_memory = b["flags"] & spec.WRITE != 0
    if kind == spec.BLOCK_ID:
        return identify(machine, f, b, size, now) if to_memory else spec.BLOCK_ERROR
    if to_memory != (kind == spec.BLOCK_READ) or b["moved"] + size > _REQUEST_MAX:
        return spec.BLOCK_ERROR
    if kind == spec.BLOCK_FLUSH_REQUEST or not virtio_blk.inside(b, at, size):
        return spec.BLOCK_ERROR
    disk = carray(pointer(b["contents"]), b["sectors"] * spec.SECTOR, np.uint8)
    if to_memory:
        whole = dma_write(machine, f, b["address"], disk, at, size, now)
    else:
        whole = store(machine, f, b, disk, at, size, now)
    return spec.BLOCK_OK if whole else spec.BLOCK_ERROR


@native
def store(machine: np.void, f: np.void, b: np.void, disk: np.ndarray, at: int, size: int, now: int) -> bool:
    """Write memory to the disk, as far as it could be read."""
    address = b["address"]
    while size > 0:
        step = min(size, _STAGE)
        if not dma_read(machine, f, address, b["staged"], 0, step, now):
            return False
        disk[at : at + step] = b["staged"][:step]
        address, at, size = address + step, at + step, size - step
    return True


@native
def identify(machine: np.void, f: np.void, b: np.void, size: int, now: int) -> int:
    """Write the disk's name to memory."""
    b["staged"][: spec.ID_SIZE] = 0
    for index in range(len(spec.NAME)):
        b["staged"][index] = spec.NAME[index]
    whole = dma_write(machine, f, b["address"], b["staged"], 0, min(size, spec.ID_SIZE), now)
    return spec.BLOCK_OK if whole else spec.BLOCK_ERROR
