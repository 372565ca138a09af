"""The ledger of crossings: every act of one owner that reaches what another owns.

Memory is bounded, truth is not: counts and the digest cover every crossing there ever was, `ring` holds the
newest, `first` the first violations, so that the origin of a flood is not lost.
"""

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.fabric.ownership import OWNER_NAMES


class Act(IntEnum):
    """What was done. Numbers are part of the format: append, never insert. Native code takes `int(Act.X)`."""

    READ = 0
    WRITE = 1
    EXECUTE = 2
    WALK = 3
    """A page-table walk through memory of another's."""
    IPI = 4
    NMI = 5
    INIT = 6
    SIPI = 7
    IN = 8
    OUT = 9
    DEVICE_READ = 10
    DEVICE_WRITE = 11
    DMA_READ = 12
    DMA_WRITE = 13
    CONFIG_READ = 14
    CONFIG_WRITE = 15
    FRAME = 16
    """From one network device to another, by a switch: `where` is the other's place."""
    DOORBELL = 17
    """Of an ivshmem device: `where` is the vector."""


CROSSING = np.dtype(
    [
        ("serial", "<i8"),  # counts crossings, from 0
        ("when", "<i8"),  # cycles
        ("rip", "<u8"),  # of a device: its place, segment << 16 | bus << 8 | device << 3 | function
        ("where", "<u8"),  # physical address, port or vector
        ("kernel", "<i2"),  # owner code of who did it
        ("core", "<i2"),  # -1: a device
        ("target", "<i2"),  # owner code of whose it is
        ("act", "u1"),
        ("size", "<u2"),  # bytes; 0 for messages
        ("granted", "?"),
    ],
    align=True,
)

LEDGER = np.dtype([("total", "<i8"), ("violations", "<i8"), ("digest", "<i8")])
"""What is exact for ever, beside the counts. Zeros are an empty ledger."""

NEWEST = 1 << 16
FIRST = 1 << 10
OTHERS = len(OWNER_NAMES)
"""Owner codes below zero: they index `counts` from its end, as native indices may too."""


@native(inline=True)
def _mix(digest: int, word: int) -> int:
    """Take 64 more bits into a digest: a xorshift step, linear over GF(2) with full period, as a CRC is."""
    digest ^= word
    digest ^= digest << 13
    digest ^= digest >> 7 & 0x01FF_FFFF_FFFF_FFFF
    return digest ^ digest << 17


@native(inline=True)
def _digest(digest: int, crossing: np.void) -> int:
    """Take all of a crossing but its serial into a digest."""
    who = (np.int64(crossing["kernel"]) & 0xFFFF) << 48 | (np.int64(crossing["core"]) & 0xFFFF) << 32
    whose = (np.int64(crossing["target"]) & 0xFFFF) << 16
    what = np.int64(crossing["act"]) << 17 | np.int64(crossing["size"]) << 1 | np.int64(crossing["granted"])
    who_what: Any = who | whose | what
    rip: Any = np.int64(crossing["rip"])
    where: Any = np.int64(crossing["where"])
    return _mix(_mix(_mix(_mix(digest, crossing["when"]), who_what), rip), where)


@native(inline=True)
def note(
    ring: np.ndarray,
    first: np.ndarray,
    counts: np.ndarray,
    head: np.void,
    when: int,
    kernel: int,
    core: int,
    rip: int,
    act: int,
    size: int,
    granted: bool,
    target: int,
    where: int,
) -> None:
    """Record one crossing: the fields of CROSSING, int64; `rip` and `where` may have the sign bit set."""
    serial = head["total"]
    slot = serial & (len(ring) - 1)
    entry = ring[slot]
    entry["serial"], entry["when"] = serial, when
    entry["rip"], entry["where"] = np.uint64(rip), np.uint64(where)
    entry["kernel"], entry["core"], entry["target"] = kernel, core, target
    entry["act"], entry["size"], entry["granted"] = act, size, granted
    counts[kernel, target, act, 1 if granted else 0] += 1
    head["total"] = serial + 1
    head["digest"] = _digest(head["digest"], entry)
    if not granted:
        if head["violations"] < len(first):
            first[head["violations"]] = ring[slot]
        head["violations"] += 1


_NAMES = ("when", "kernel", "core", "rip", "act", "size", "granted", "target", "where")


class Ledger:
    """The arrays that `note` writes to, and the questions one asks of them; `newest` is a power of two.

    counts   int64 [kernels + 3, kernels + 3, acts, 2]: who, whose, act, granted; owner codes index both ends
    """

    def __init__(self, kernels: int, *, newest: int = NEWEST, first: int = FIRST) -> None:
        self.kernels = kernels
        self.ring = np.zeros(newest, CROSSING)
        self.first = np.zeros(first, CROSSING)
        self.counts = np.zeros((kernels + OTHERS, kernels + OTHERS, len(Act), 2), np.int64)
        self.head = np.zeros(1, LEDGER)

    @property
    def total(self) -> int:
        return int(self.head["total"][0])

    @property
    def violations(self) -> int:
        return int(self.head["violations"][0])

    @property
    def granted(self) -> int:
        return self.total - self.violations

    def note(self, **crossing: int) -> None:
        """Record one crossing from Python, by the names of CROSSING."""
        values: list[Any] = [np.int64(crossing[name]) for name in _NAMES]
        note(self.ring, self.first, self.counts, self.head[0], *values)

    def records(self) -> np.ndarray:
        """Return the newest crossings, oldest first; a copy."""
        if self.total <= len(self.ring):
            return self.ring[: self.total].copy()
        return np.roll(self.ring, -(self.total % len(self.ring)))

    def recorded_violations(self) -> np.ndarray:
        """Return the violations still known, in order: the first ones, then the newest; a copy."""
        early = self.first[: min(self.violations, len(self.first))]
        newest = self.records()
        late = newest[~newest["granted"] & ~np.isin(newest["serial"], early["serial"])]
        return np.concatenate([early, late])

    def matrix(self, granted: bool | None = None) -> np.ndarray:
        """Return counts [who, whose] between kernels: of all crossings, the granted, or the violations."""
        among = self.counts[: self.kernels, : self.kernels].sum(axis=2)
        return among.sum(axis=2) if granted is None else among[:, :, int(granted)]

    def digest(self) -> bytes:
        """Return 32 bytes that stand for every crossing there was, in order, whatever is still recorded."""
        return hashlib.blake2b(self.head.tobytes() + self.counts.tobytes(), digest_size=32).digest()
