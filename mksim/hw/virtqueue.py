"""Chains of descriptors in a virtqueue, as a driver lays them out: Virtio 1.1, 2.6.

A chain becomes its segments: first those that the device may read, then those that it may write, wherever
the driver has cut them (§ 2.6.4). Who reads descriptors from memory hands them in, one after another; each is
looked at as the driver's word. Left out: packed queues, VIRTIO_F_EVENT_IDX.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import virtio as spec

# fmt: off
CHAIN = np.dtype([
    ("head",     np.int64),                 # its first descriptor
    ("table",    np.int64),                 # address of the descriptors at hand, and how many there are
    ("entries",  np.int64),
    ("next",     np.int64),                 # of those, the one that follows, or -1
    ("inner",    np.int64),                 # 1: they are in an indirect table
    ("count",    np.int64),                 # segments
    ("outs",     np.int64),                 # of which the device may read so many, and then write the rest
    ("readable", np.int64),                 # bytes
    ("writable", np.int64),
    ("address",  np.int64, spec.SIZE_MAX),
    ("length",   np.int64, spec.SIZE_MAX),
])
# fmt: on


@native
def begin(c: np.void, head: int, table: int, entries: int) -> None:
    """Begin with the chain of a descriptor, in a table of so many."""
    c["head"] = c["next"] = head
    c["table"], c["entries"], c["inner"] = table, entries, 0
    c["count"] = c["outs"] = c["readable"] = c["writable"] = 0


@native
def where(c: np.void) -> int:
    """Return the address of the descriptor that follows; -1 if the chain has ended, or leads nowhere."""
    inside = 0 <= c["next"] < c["entries"]
    return c["table"] + spec.TABLE_ENTRY * c["next"] if inside else np.int64(-1)  # type: ignore[return-value]


@native
def ended(c: np.void) -> bool:
    """Tell whether the last descriptor of the chain was taken."""
    return c["next"] < 0


@native
def take(
    c: np.void, address: int, length: int, flags: int, following: int, most: int, indirect: bool
) -> bool:
    """Take one descriptor; False if it makes no sense. A chain has at most `most` segments (§ 2.6.5.3.1)."""
    if flags & spec.INDIRECT:
        return _descend(c, address, length, flags, indirect)
    written = flags & spec.WRITE != 0
    if c["count"] >= most or (not written and c["outs"] < c["count"]):
        return False
    c["address"][c["count"]], c["length"][c["count"]] = address, length
    c["count"] += 1
    if written:
        c["writable"] += length
    else:
        c["outs"] += 1
        c["readable"] += length
    c["next"] = following if flags & spec.NEXT else -1
    return True


@native
def _descend(c: np.void, address: int, length: int, flags: int, indirect: bool) -> bool:
    """Go on in an indirect table (§ 2.6.5.3): it is the last of its chain, and has none in it."""
    if not indirect or c["inner"] != 0 or flags & spec.NEXT or length == 0 or length % spec.TABLE_ENTRY:
        return False
    c["table"], c["entries"], c["inner"], c["next"] = address, length // spec.TABLE_ENTRY, 1, 0
    return True


@native
def number(source: np.ndarray, at: int, size: int) -> int:
    """Return a little-endian number of up to eight bytes; signed if it has eight."""
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(source[at + byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba
