"""Rings and mailboxes in shared windows, decoded: the layouts of the kernels that come with mksim.

By the window's name, or as asked for: `ring` is the message ring of Linux multikernel (kernels/ring/ring.h),
`lines` Barrelfish's user-level RPC (kernels/urpc/urpc.h), `table` a pair of channels (kernels/lib/channel.h).
"""

from collections.abc import Callable, Iterator

import numpy as np

_RING_SLOTS, _SLOT_DATA = 64, 4096
# fmt: off
SLOT = np.dtype([("sender_cpu", "<u8"), ("type", "<u4"), ("data_size", "<u8"), ("buffer", "u1", _SLOT_DATA)],
                align=True)
RING = np.dtype([("head", "<u4"), ("tail", "<u4"), ("slot", SLOT, _RING_SLOTS)], align=True)
LINE = np.dtype([("payload", "<u8", 7), ("header", "<u8")])
LINES = np.dtype([("epoch", LINE, (2, 32)), ("used", LINE, (2, 32))])
CHANNEL = np.dtype({"names": ["sent", "received", "slot"], "formats": ["<u8", "<u8", ("<u8", (32, 8))],
                    "offsets": [0, 64, 72], "itemsize": 2176})  # counters have a cache line each
TABLE = np.dtype([("first", CHANNEL), ("second", CHANNEL)])
# fmt: on
_FEW = 4
"""Words of a message that are shown."""


def _words(words: np.ndarray) -> str:
    return " ".join(f"{int(word):#x}" for word in words[:_FEW]) + (" ..." if len(words) > _FEW else "")


def _ring(ring: np.void) -> Iterator[str]:
    head, tail = int(ring["head"]) % _RING_SLOTS, int(ring["tail"]) % _RING_SLOTS
    count = (head - tail) % _RING_SLOTS
    yield f"head {head} to be claimed, tail {tail} to be taken: {count} of {_RING_SLOTS - 1} slots"
    for at in range(count):
        slot = ring["slot"][(tail + at) % _RING_SLOTS]
        size = min(int(slot["data_size"]), _SLOT_DATA)
        told = _words(slot["buffer"][: size & ~7].view(np.uint64)) if size else "claimed, not yet published"
        sender, kind = int(slot["sender_cpu"]), int(slot["type"])
        where = f"slot {(tail + at) % _RING_SLOTS:2}"
        yield f"{where}: from APIC ID {sender:#x}, type {kind:#x}, {size} bytes: {told}"


def _lines(lines: np.void) -> Iterator[str]:
    for side in range(2):
        headers = lines["epoch"][side]["header"]
        bits, taken = "".join(str(int(header) & 1) for header in headers), int(headers.max() >> 32)
        yield f"epoch, direction {side}: epoch bits {bits}, says that {taken} of the other's are taken"
    for side in range(2):
        rows = lines["used"][side]
        full = [at for at in range(len(rows)) if int(rows["header"][at]) & 1]
        yield f"used bit, direction {side}: {len(full)} of {len(rows)} lines are full"
        for at in full:
            yield f"line {at:2}: token {int(rows['header'][at]) >> 32}: {_words(rows['payload'][at])}"


def _table(table: np.void) -> Iterator[str]:
    for name in ("first", "second"):
        channel = table[name]
        sent, received = int(channel["sent"]), int(channel["received"])
        yield f"{name} channel: {sent} sent, {received} received"
        for number in range(received, min(sent, received + len(channel["slot"]))):
            at = number % len(channel["slot"])
            yield f"slot {at:2}: message {number}: {_words(channel['slot'][at])}"


DECODERS: dict[str, tuple[np.dtype, Callable[[np.void], Iterator[str]]]] = {
    "ring": (RING, _ring),
    "lines": (LINES, _lines),
    "table": (TABLE, _table),
}
"""By the name of a window: what lies at its start, and how to tell of it."""


def decode(layout: str, memory: np.ndarray) -> list[str] | None:
    """Return what a window's memory holds, line by line; None where it cannot be that layout."""
    dtype, tell = DECODERS[layout]
    if len(memory) < dtype.itemsize:
        return None
    return list(tell(memory[: dtype.itemsize].view(dtype)[0]))
