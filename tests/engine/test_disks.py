"""Random rings of descriptors against a disk: no host error, no byte outside, and an end."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.machine.devices import Device, Kind
from tests.machine.guests import HALT, SPAN, base, machine

SECTORS = 16
RING, DATA = 0x4000, 0x8000
"""In the kernel's own memory: table, available at +0x800, used at +0xc00; headers and data."""
DRIVER_OK = 15


def build(file: Path):
    """Two kernels that sleep; the first has a disk, which its driver has set up."""
    file.write_bytes(bytes(range(256)) * 2 * SECTORS)
    disk = Device(name="d", kind=Kind.DISK, owner="k0", slot=1, file=file, size=512 * SECTORS)
    made = machine(HALT, HALT, devices=(disk,))
    while made.run() is None:
        pass
    return made


@pytest.fixture(scope="module")
def sleeping(tmp_path_factory):
    return build(tmp_path_factory.mktemp("disk") / "d.img")


def set_up(one):
    """Reset the disk, switch its DMA on, and tell it where its queue is."""
    queue = one.board.blocks[0]["transport"]
    for name, value in {
        "offered": 1 << 32, "status": DRIVER_OK, "enabled": 1, "size": 8, "isr": 0, "seen": 0, "used": 0,
        "table": base(0) + RING, "driver": base(0) + RING + 0x800, "device": base(0) + RING + 0xC00,
    }.items():  # fmt: skip
        queue[name] = value
    one.board.functions[-1]["config"][4] |= 4
    return queue


def look(one):
    """Let the disk look at its queue, as often as it wants to."""
    for _ in range(100):
        one.board.blocks[0]["due"] = now = one.now + 1
        one.board.machine["device_deadline"] = now
        one.run(until=now + 1)
        if one.board.blocks[0]["due"] == NEVER:
            return
    raise AssertionError("it never ends")


def put(one, address, dtype, values):
    raw = np.array(values, dtype)
    one.board.memory[address : address + raw.nbytes] = raw.view(np.uint8).ravel()


DESCRIPTOR = np.dtype([("address", "<u8"), ("length", "<u4"), ("flags", "<u2"), ("next", "<u2")])
HEADER = np.dtype([("kind", "<u4"), ("reserved", "<u4"), ("sector", "<u8")])

own = st.integers(base(0) + DATA, base(0) + SPAN - 1)
ENDS = (base(0) + SPAN - 8, base(1) - 8, base(1), base(1) + 64, 0, 0xA0000, 0x400000 - 4, (1 << 64) - 8)
seams = st.sampled_from(ENDS)
lengths = st.one_of(st.sampled_from([0, 1, 16, 20, 512, 1024, 4096, 8192, 0xFFFFFFFF]), st.integers(0, 10000))
descriptors = st.tuples(st.one_of(own, seams), lengths, st.integers(0, 7), st.integers(0, 9))
honest = st.tuples(own, st.sampled_from([1, 16, 512, 1024]), st.sampled_from([0, 1, 2, 3]), st.integers(0, 7))
headers = st.tuples(
    st.sampled_from([0, 1, 4, 8, 9]), st.just(0), st.one_of(st.integers(0, 17), st.integers(0, (1 << 64) - 1))
)
indices = st.one_of(st.integers(0, 8), st.integers(0, 0xFFFF))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    st.lists(st.one_of(honest, descriptors), min_size=8, max_size=8),
    headers, st.lists(indices, min_size=8, max_size=8), indices,
)  # fmt: skip
def test_whatever_the_ring_says(sleeping, table, header, ring, available):
    one = sleeping
    queue = set_up(one)
    table[0] = (base(0) + DATA, 16, 1, table[0][3])
    put(one, base(0) + RING, DESCRIPTOR, table)
    put(one, base(0) + DATA, HEADER, [header])
    put(one, base(0) + RING + 0x800, "<u2", [0, available, *ring])
    outside = np.delete(one.board.memory, np.s_[base(0) : base(0) + SPAN]).copy()
    look(one)
    assert (np.delete(one.board.memory, np.s_[base(0) : base(0) + SPAN]) == outside).all()
    assert int(queue["status"]) in (DRIVER_OK, DRIVER_OK | 64)
    assert int(queue["seen"]) == available or int(queue["status"]) & 64


def test_a_refused_request_is_an_error_and_leaves_the_disk(sleeping):
    one = sleeping
    set_up(one)
    before = one.board.disk_bytes.copy()
    violations = one.ledger.violations
    status = base(0) + DATA + 64
    chain = [(base(0) + DATA, 16, 1, 1), (base(1), 512, 1, 2), (status, 1, 2, 0)]
    put(one, base(0) + RING, DESCRIPTOR, chain)
    put(one, base(0) + DATA, HEADER, [(1, 0, 2)])
    put(one, base(0) + RING + 0x800, "<u2", [0, 1, 0])
    one.board.memory[status] = 0xFF
    look(one)
    assert one.board.memory[status] == 1
    assert (one.board.disk_bytes == before).all()
    assert one.ledger.violations == violations + 1
