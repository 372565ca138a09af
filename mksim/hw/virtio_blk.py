"""A virtio block device's own registers, and what its requests ask for: Virtio 1.1, 5.2.

All arguments are int64.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.hw import msix, virtio_pci
from mksim.hw.msix import MSIX
from mksim.hw.virtio_pci import VIRTIO
from mksim.spec import virtio as spec

# fmt: off
BLOCK = np.dtype([
    ("transport",   VIRTIO),
    ("messages",    MSIX),
    ("sectors",     np.int64),
    ("read_only",   np.int64),
    ("contents",    np.int64),              # address of the bytes
    ("kept",        np.int64),              # 1: a flush brings them to the file they are of
    ("due",         np.int64),              # when it looks at its queue, or NEVER
    ("takes",       np.int64),              # cycles from a notification to then
    ("failed",      np.int64),              # 1: the ring makes no sense, or cannot be reached
    ("moved",       np.int64),              # bytes, by the request at hand
    ("address",     np.int64),              # the descriptor at hand
    ("length",      np.int64),
    ("flags",       np.int64),
    ("next",        np.int64),
    ("header",      np.uint8, spec.BLOCK_HEADER),
    ("staged",      np.uint8, 4096),        # what DMA brings, until it is known to be whole
])
# fmt: on

_SECOND = 1_000_000_000


@native
def reset(b: np.void, rate: int, latency: int) -> None:
    """Power on."""
    offered = spec.VERSION_1 | spec.BLOCK_FLUSH | spec.BLOCK_SEGMENTS
    offered |= spec.BLOCK_READ_ONLY if b["read_only"] else 0
    virtio_pci.reset(b["transport"], offered)
    msix.reset(b["messages"])
    b["due"] = NEVER
    b["takes"] = max(scale(spec.REQUEST_NS, rate, _SECOND), latency, 1)


@native
def read_config(b: np.void, offset: int, size: int) -> int:
    """Read the device configuration: its capacity in sectors, and how many segments a request may have."""
    if offset >= 8:
        return spec.SEGMENTS if offset == spec.SEGMENTS_AT else 0
    return b["sectors"] >> (8 * offset) & ((1 << 8 * size) - 1 if size < 8 else -1)


@native
def notify(b: np.void, now: int) -> None:
    """The driver has made something available."""
    if b["due"] == NEVER and virtio_pci.runs(b["transport"]):
        b["due"] = now + b["takes"]


@native
def kind(b: np.void) -> int:
    """Return what the request in `header` asks for."""
    return _number(b["header"], 0, 4)


@native
def sector(b: np.void) -> int:
    """Return where the request in `header` begins, in sectors."""
    return _number(b["header"], 8, 8)


@native
def inside(b: np.void, at: int, size: int) -> bool:
    """Tell whether bytes from `at` on are all on the disk."""
    return size >= 0 and 0 <= at <= b["sectors"] * spec.SECTOR - size


@native
def _number(source: np.ndarray, at: int, size: int) -> int:
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(source[at + byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba
