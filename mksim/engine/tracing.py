"""What a trace shows, as records: written only while somebody looks, and of no influence on anything.

An observer empties the buffer between slices. What does not fit is counted, and lost.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE

EVENT = np.dtype(
    [
        ("when", "<i8"),  # cycles
        ("value", "<i8"),  # the vector, or where a crossing goes
        ("until", "<i8"),  # when a message arrives; the RIP of a crossing
        ("core", "<i2"),
        ("other", "<i2"),  # the core that a message is for; the owner of what is crossed into
        ("kind", "u1"),
        ("mode", "u1"),  # a message's delivery mode; the act of a crossing
        ("flag", "u1"),  # a message: 1 if a core sent it, 0 if a chip; a crossing: 1 if granted
    ],
    align=True,
)
WOKE, SLEPT, INTERRUPTED, SENT, CROSSED = range(5)
"""A core began to run; stopped; took an interrupt. A message was sent. One reached for what is another's."""

TRACE_SIZE = 1 << 17


@native(inline=True)
def trace(
    machine: np.void,
    kind: int,
    when: int,
    core: int,
    value: int,
    until: int,
    other: int,
    mode: int,
    flag: int,
) -> None:
    """Write one event, if somebody looks."""
    if machine["trace_size"] != 0:
        write(machine, kind, when, core, value, until, other, mode, flag)


@outlined(MACHINE)
def write(
    machine: np.void,
    kind: int,
    when: int,
    core: int,
    value: int,
    until: int,
    other: int,
    mode: int,
    flag: int,
) -> None:
    """Write one event."""
    count = machine["trace_count"]
    if count == machine["trace_size"]:
        machine["trace_lost"] += 1
        return
    event = carray(pointer(machine["trace"]), machine["trace_size"], EVENT)[count]
    event["when"], event["value"], event["until"] = when, value, until
    event["core"], event["other"] = core, other
    event["kind"], event["mode"], event["flag"] = kind, mode, flag
    machine["trace_count"] = count + 1


@native
def trace_core(machine: np.void, kind: int, when: int, core: int) -> None:
    """Write that a core begins to run, or stops."""
    trace(machine, kind, when, core, 0, 0, 0, 0, 0)


@native
def crowded(machine: np.void) -> bool:
    """Tell whether the buffer should be emptied before it runs over."""
    return 2 * machine["trace_count"] > machine["trace_size"]
