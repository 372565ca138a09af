"""Rings of descriptors, honest and hostile, in the memory of a kernel that sleeps: its driver is the test."""

import numpy as np
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from tests.machine.guests import SPAN, base

RING, INNER, DATA = 0x4000, 0x6000, 0x8000
"""In the kernel's own memory: table, available at +0x800, used at +0xc00; an indirect table; buffers."""
SIZE = 8
DRIVER_OK, NEEDS_RESET = 15, 64
VERSION_1, INDIRECT_TABLES = 1 << 32, 1 << 28

DESCRIPTOR = np.dtype([("address", "<u8"), ("length", "<u4"), ("flags", "<u2"), ("next", "<u2")])

own = st.integers(base(0) + DATA, base(0) + SPAN - 1)
ENDS = (base(0) + SPAN - 8, base(1) - 8, base(1), base(1) + 64, 0, 0xA0000, 0x400000 - 4, (1 << 64) - 8)
seams = st.sampled_from(ENDS)
lengths = st.one_of(st.sampled_from([0, 1, 16, 20, 512, 1024, 4096, 8192, 0xFFFFFFFF]), st.integers(0, 10000))
hostile = st.tuples(st.one_of(own, seams), lengths, st.integers(0, 7), st.integers(0, 9))
honest = st.tuples(own, st.sampled_from([1, 16, 512, 1024]), st.sampled_from([0, 1, 2, 3]), st.integers(0, 7))
nested = st.tuples(
    st.just(base(0) + INNER), st.sampled_from([16, 32, 128, 24]), st.just(4), st.integers(0, 7)
)
descriptors = st.lists(st.one_of(honest, hostile, nested), min_size=SIZE, max_size=SIZE)
indices = st.one_of(st.integers(0, 8), st.integers(0, 0xFFFF))
rings = st.tuples(descriptors, descriptors, st.lists(indices, min_size=SIZE, max_size=SIZE), indices)
"""Table, indirect table, what is available, and up to where."""


def set_up(one, unit=0, queue=0, features=0):
    """Reset a virtio device, switch its DMA on, and tell it where a queue is; return the device."""
    device = one.board.virtios[unit]
    device["status"], device["isr"], device["accepted"] = DRIVER_OK, 0, VERSION_1 | INDIRECT_TABLES | features
    for name, value in {
        "enabled": 1, "size": SIZE, "seen": 0, "used": 0,
        "table": base(0) + RING, "driver": base(0) + RING + 0x800, "device": base(0) + RING + 0xC00,
    }.items():  # fmt: skip
        device["queues"][queue][name] = value
    one.board.functions[unit - len(one.layout.devices)]["config"][4] |= 4
    return device


def put(one, address, dtype, values):
    raw = np.array(values, dtype)
    one.board.memory[address : address + raw.nbytes] = raw.view(np.uint8).ravel()


def lay(one, table, inner, available, count):
    put(one, base(0) + RING, DESCRIPTOR, table)
    put(one, base(0) + INNER, DESCRIPTOR, inner)
    put(one, base(0) + RING + 0x800, "<u2", [0, count, *available])


def look(one, unit=0, queue=0):
    """Let a device look at a queue, as often as it wants to."""
    device = one.board.virtios[unit]
    device["kicked"] = 1 << queue
    for _ in range(100):
        device["due"] = now = one.now + 1
        one.board.machine["device_deadline"] = now
        one.run(until=now + 1)
        if device["due"] == NEVER:
            return
    raise AssertionError("it never ends")


def outside(one):
    """Return all memory that is not the first kernel's."""
    return np.delete(one.board.memory, np.s_[base(0) : base(0) + SPAN])


def asleep(one):
    while one.run() is None:
        pass
    return one
