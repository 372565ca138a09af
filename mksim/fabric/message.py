"""Messages on their way: a bounded queue in the order of (when, priority, serial), and no other.

Interrupts between kernels, and what wires between UARTs carry. A heap in an array of MESSAGE; STATE says
how much of it is in use. Native code, no allocation.
"""

import numpy as np

from mksim.compiled import native
from mksim.fabric.ownership import NOBODY

MESSAGE = np.dtype(
    [
        ("when", "<i8"),  # cycles: when it arrives
        ("serial", "<i8"),  # counts pushes; makes the order total
        ("sender", "<i2"),  # core, or UART
        ("target", "<i2"),  # core, or UART
        ("source", "<i2"),  # owner code of who sent it
        ("mode", "u1"),  # delivery mode of spec/apic.py, or one of the next
        ("vector", "u1"),  # or what a wire carries
        ("level", "u1"),
        ("priority", "u1"),  # lower first, among those of one time
    ],
    align=True,
)

SERIAL, SERIAL_BREAK, SERIAL_LINES = 8, 9, 10
"""Modes beyond those of an APIC, from one UART to another: a character, a break, MCR's outputs."""

STATE = np.dtype([("count", "<i8"), ("serial", "<i8")])
"""Of one queue: how many wait, and the next serial. Zeros are an empty queue."""


@native
def _before(one: np.void, other: np.void) -> bool:
    if one["when"] != other["when"]:
        return one["when"] < other["when"]
    if one["priority"] != other["priority"]:
        return one["priority"] < other["priority"]
    return one["serial"] < other["serial"]


@native(inline=True)
def _room(heap: np.ndarray, count: int, when: int, priority: int) -> int:
    """Open a place for a newcomer, of a higher serial than all: move later ones down, return the hole."""
    hole = count
    while hole > 0:
        above = (hole - 1) // 2
        sooner = when - heap[above]["when"]
        if sooner > 0 or (sooner == 0 and priority >= heap[above]["priority"]):
            break
        heap[hole] = heap[above]
        hole = above
    return hole


@native(inline=True)
def _close(heap: np.ndarray, last: int) -> None:
    """Fill the hole at the root: move earlier ones up, then the one at index `last` into what is left."""
    if last == 0:
        return
    hole, child = 0, 1
    while child < last:
        if child + 1 < last and _before(heap[child + 1], heap[child]):
            child += 1
        if _before(heap[last], heap[child]):
            break
        heap[hole] = heap[child]
        hole, child = child, 2 * child + 1
    heap[hole] = heap[last]


@native(inline=True)
def push(
    heap: np.ndarray,
    state: np.void,
    when: int,
    sender: int,
    target: int,
    mode: int,
    vector: int,
    level: int,
    source: int = NOBODY,
    priority: int = 0,
) -> bool:
    """Queue a message to arrive at `when` (cycles); False, and nothing done, when it is full."""
    count = state["count"]
    if count >= len(heap):
        return False
    entry = heap[_room(heap, count, when, priority)]
    entry["when"], entry["serial"], entry["priority"] = when, state["serial"], priority
    entry["sender"], entry["target"], entry["source"] = sender, target, source
    entry["mode"], entry["vector"], entry["level"] = mode, vector, level
    state["serial"] += 1
    state["count"] = count + 1
    return True


@native(inline=True)
def peek(heap: np.ndarray, state: np.void, never: int) -> int:
    """Return when the next message arrives (cycles), `never` if none waits."""
    return heap[0]["when"] if state["count"] > 0 else never


@native(inline=True)
def drop(heap: np.ndarray, state: np.void) -> None:
    """Take the next message, heap[0], out of the queue; there must be one."""
    last = state["count"] - 1
    _close(heap, last)
    state["count"] = last
