"""A virtio block device's own registers, and what its requests ask for: Virtio 1.1, 5.2.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw.virtqueue import number
from mksim.spec import virtio as spec

# fmt: off
BLOCK = np.dtype([
    ("sectors",     np.int64),
    ("read_only",   np.int64),
    ("contents",    np.int64),              # address of the bytes
    ("kept",        np.int64),              # 1: a flush brings them to the file they are of
    ("header",      np.uint8, spec.BLOCK_HEADER),
])
# fmt: on


@native
def features(b: np.void) -> int:
    """Return what it offers."""
    offered = spec.BLOCK_FLUSH | spec.BLOCK_SEGMENTS
    return offered | spec.BLOCK_READ_ONLY if b["read_only"] else offered


@native
def read_config(b: np.void, offset: int, size: int) -> int:
    """Read the device configuration: its capacity in sectors, and how many segments a request may have."""
    if offset >= 8:
        return spec.SEGMENTS if offset == spec.SEGMENTS_AT else 0
    return b["sectors"] >> (8 * offset) & ((1 << 8 * size) - 1 if size < 8 else -1)


@native
def kind(b: np.void) -> int:
    """Return what the request in `header` asks for."""
    return number(b["header"], 0, 4)


@native
def sector(b: np.void) -> int:
    """Return where the request in `header` begins, in sectors."""
    return number(b["header"], 8, 8)


@native
def inside(b: np.void, at: int, size: int) -> bool:
    """Tell whether bytes from `at` on are all on the disk."""
    return size >= 0 and 0 <= at <= b["sectors"] * spec.SECTOR - size


@native
def accepts(b: np.void, readable: int, writable: int) -> int:
    """Return the status of a request, as far as header and sizes of its data decide it."""
    asked = kind(b)
    if asked == spec.BLOCK_FLUSH_REQUEST:
        return spec.BLOCK_OK if readable == writable == 0 else spec.BLOCK_ERROR
    if asked == spec.BLOCK_ID:
        return spec.BLOCK_OK if readable == 0 else spec.BLOCK_ERROR
    if asked not in (spec.BLOCK_READ, spec.BLOCK_WRITE):
        return spec.BLOCK_UNSUPPORTED
    one_way = (readable if asked == spec.BLOCK_READ else writable) == 0
    size, first = readable + writable, sector(b)
    whole = size % spec.SECTOR == 0 and 0 <= first <= b["sectors"]
    there = whole and inside(b, first * spec.SECTOR, size)
    allowed = asked == spec.BLOCK_READ or b["read_only"] == 0
    return spec.BLOCK_OK if one_way and there and allowed else spec.BLOCK_ERROR
