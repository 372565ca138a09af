"""Random rings against networks, consoles and entropy: no host error, no byte outside, and an end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.machine.devices import Device, Kind
from mksim.spec.virtio_net import PAIRS
from tests.engine.rings import DATA, DRIVER_OK, NEEDS_RESET, asleep, lay, look, outside, put, rings, set_up
from tests.machine.guests import HALT, SPAN, base, machine

CONTROL = 4
LAW = settings(deadline=None, derandomize=True, max_examples=100)


@pytest.fixture(scope="module")
def sleeping():
    """Two kernels that sleep, with a network between them; the first has random numbers and a console."""
    devices = (
        Device(name="n0", kind=Kind.NIC, owner="k0", slot=1, queues=2),
        Device(name="n1", kind=Kind.NIC, owner="k1", slot=1),
        Device(name="r0", kind=Kind.ENTROPY, owner="k0", slot=2),
        Device(name="c0", kind=Kind.CONSOLE, owner="k0", slot=3),
    )
    return asleep(machine(HALT, HALT, devices=devices))


def fits(device, queue, count):
    """Tell whether a device ended as it should: all was taken, or it wants a reset."""
    assert int(device["status"]) in (DRIVER_OK, DRIVER_OK | NEEDS_RESET)
    return int(device["queues"][queue]["seen"]) == count or int(device["status"]) & NEEDS_RESET


@LAW
@given(rings, st.sampled_from([1, 3, CONTROL]), st.binary(max_size=64))
def test_whatever_is_sent(sleeping, ring, queue, data):
    one, (table, inner, available, count) = sleeping, ring
    nic = set_up(one, 0, queue, PAIRS)
    lay(one, table, inner, available, count)
    put(one, base(0) + DATA, np.uint8, list(data))
    before = outside(one)
    look(one, 0, queue)
    assert (outside(one) == before).all()
    assert fits(nic, queue, count)


@LAW
@given(rings)
def test_whatever_random_numbers_are_asked_for(sleeping, ring):
    one, (table, inner, available, count) = sleeping, ring
    source = set_up(one, 2)
    lay(one, table, inner, available, count)
    before = outside(one)
    look(one, 2)
    assert (outside(one) == before).all()
    assert fits(source, 0, count)


@LAW
@given(rings, st.sampled_from([0, 1]))
def test_whatever_is_said_on_a_console(sleeping, ring, queue):
    one, (table, inner, available, count) = sleeping, ring
    console = set_up(one, 3, queue)
    lay(one, table, inner, available, count)
    before = outside(one)
    look(one, 3, queue)
    assert (outside(one) == before).all()
    assert fits(console, queue, count) or queue == 0  # nobody types


FRAME = bytes(12) + b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + bytes(range(46))


@LAW
@given(rings)
def test_whatever_the_receiver_has_room_for(sleeping, ring):
    """Frames of the second kernel's arrive at the first, whose receive queue says anything."""
    one, (table, inner, available, count) = sleeping, ring
    set_up(one, 1, 1)["queues"][1]["table"] += SPAN
    for name in ("driver", "device"):
        one.board.virtios[1]["queues"][1][name] += SPAN
    start = base(1) + 0x8000
    put(one, start, np.uint8, list(FRAME))
    put(one, base(1) + 0x4000, "<u8", [start, len(FRAME)])
    put(one, base(1) + 0x4800, "<u2", [0, 8, *[0] * 8])
    nic = set_up(one, 0, 0)
    lay(one, table, inner, available, count)
    got, missed = (int(one.board.nics[0][name]) for name in ("received", "missed"))
    look(one, 1, 1)
    before = outside(one)
    one.run(until=one.now + 100_000)
    assert (outside(one) == before).all()
    assert int(nic["status"]) in (DRIVER_OK, DRIVER_OK | NEEDS_RESET)
    assert int(one.board.nics[0]["received"]) - got + int(one.board.nics[0]["missed"]) - missed == 8


def test_a_frame_arrives_as_it_was_sent_and_is_a_granted_crossing(sleeping):
    one = sleeping
    set_up(one, 0, 1)
    put(one, base(0) + DATA, np.uint8, list(FRAME))
    lay(one, [(base(0) + DATA, len(FRAME), 0, 0)], [], [0], 1)
    for queue, offset in ((0, 0x4000),):
        nic = set_up(one, 1, queue)
        for name in ("table", "driver", "device"):
            nic["queues"][queue][name] += SPAN
        put(one, base(1) + offset, "<u8", [base(1) + 0x9000, 1526 | 2 << 32])
        put(one, base(1) + offset + 0x800, "<u2", [0, 1, 0])
    granted = one.ledger.granted
    look(one, 0, 1)
    one.run(until=one.now + 100_000)
    got = one.board.memory[base(1) + 0x9000 :][: len(FRAME)].tobytes()
    assert got == bytes(10) + b"\1\0" + FRAME[12:]
    assert one.board.memory[base(1) + 0x4C00 :][:12].view("<u4").tolist() == [1 << 16, 0, len(FRAME)]
    assert one.ledger.granted == granted + 1
