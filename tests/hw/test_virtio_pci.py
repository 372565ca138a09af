"""The transport of a virtio device, from the driver's side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import virtio_pci
from mksim.hw.virtio_pci import VIRTIO

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
OFFERED = 1 << 32 | 1 << 28 | 1 << 9
QUEUES, TAKES = 3, 1000


def fresh():
    record = np.zeros(1, VIRTIO)[0]
    virtio_pci.power_up(record, 1 << 9, QUEUES, TAKES)
    return record


@pytest.fixture
def v():
    return fresh()


def read(v, offset, size=4):
    return int(virtio_pci.read(v, offset, size))


def write(v, offset, size, value):
    virtio_pci.write(v, offset, size, value)


def negotiate(v, features):
    write(v, 0x14, 1, 1)
    write(v, 0x14, 1, 3)
    for select in range(2):
        write(v, 8, 4, select)
        write(v, 12, 4, features >> 32 * select & 0xFFFFFFFF)
    write(v, 0x14, 1, 11)
    return read(v, 0x14, 1)


def set_up(v):
    assert negotiate(v, OFFERED) == 11
    for offset, value in ((0x20, 0x123450), (0x28, 0x200002), (0x30, 0x300004)):
        write(v, offset, 4, value)
        write(v, offset + 4, 4, 1)
    write(v, 0x1C, 2, 1)
    write(v, 0x14, 1, 15)


def test_features_are_shown_32_at_a_time(v):
    for select, features in ((0, 1 << 28 | 1 << 9), (1, 1), (2, 0)):
        write(v, 0, 4, select)
        assert read(v, 4) == features


@pytest.mark.parametrize("features", [1 << 9, 0, 1 << 32 | 1, 1 << 33 | 1 << 32])
def test_a_legacy_driver_and_one_that_asks_for_more_are_refused(v, features):
    assert negotiate(v, features) == 3


def test_a_queue_is_set_up_in_halves_and_then_stays(v):
    assert (read(v, 0x12, 2), read(v, 0x18, 2)) == (QUEUES, 128)
    set_up(v)
    assert virtio_pci.works(v, 0)
    assert not virtio_pci.works(v, 1)
    assert [int(v["queues"][0][name]) for name in ("table", "driver", "device")] == [
        0x100123450,
        0x100200002,
        0x100300004,
    ]
    write(v, 0x20, 4, 0)
    write(v, 0x18, 2, 8)
    assert (read(v, 0x20), read(v, 0x18, 2)) == (0x123450, 128)


@pytest.mark.parametrize("absent", [QUEUES, 64, 0xFFFF])
def test_a_queue_that_is_not_there_says_nothing_and_takes_nothing(v, absent):
    write(v, 0x16, 2, absent)
    assert read(v, 0x18, 2) == 0
    before = v.tobytes()
    write(v, 0x1C, 2, 1)
    assert v.tobytes() == before
    assert not virtio_pci.works(v, absent)


def test_queues_are_apart(v):
    for queue in range(QUEUES):
        write(v, 0x16, 2, queue)
        write(v, 0x20, 4, 0x1000 * queue)
        write(v, 0x1A, 2, queue)
    for queue in range(QUEUES):
        write(v, 0x16, 2, queue)
        assert (read(v, 0x20), read(v, 0x1A, 2)) == (0x1000 * queue, queue)


def test_a_message_that_is_not_there_is_none(v):
    write(v, 0x10, 2, QUEUES + 1)
    write(v, 0x1A, 2, QUEUES + 1)
    assert (read(v, 0x10, 2), read(v, 0x1A, 2)) == (0xFFFF, 0xFFFF)


def test_what_was_notified_is_looked_at_once_and_in_order(v):
    set_up(v)
    v["queues"][2]["enabled"] = 1
    for queue, now in ((2, 10), (1, 15), (0, 20), (2, 30), (0xFFFF, 40)):
        virtio_pci.notify(v, queue, now)
    assert v["due"] == 10 + TAKES
    assert [int(virtio_pci.take_kicked(v)) for _ in range(3)] == [0, 2, -1]
    assert v["due"] == NEVER


@pytest.mark.parametrize(("asked", "got"), [(64, 64), (256, 128), (0, 128), (3, 128)])
def test_a_queues_size_is_a_power_of_two_that_fits(v, asked, got):
    write(v, 0x18, 2, asked)
    assert read(v, 0x18, 2) == got


def test_a_device_that_has_failed_wants_a_reset(v):
    set_up(v)
    virtio_pci.fail(v)
    assert not virtio_pci.works(v, 0)
    write(v, 0x14, 1, 15)
    assert (read(v, 0x14, 1), int(virtio_pci.take_isr(v)), int(virtio_pci.take_isr(v))) == (79, 2, 0)
    write(v, 0x14, 1, 0)
    assert (read(v, 0x14, 1), read(v, 0x1C, 2), read(v, 0x20)) == (0, 0, 0)


numbers = st.integers(-(1 << 63), (1 << 63) - 1)
accesses = st.tuples(st.integers(0, 0x37), st.sampled_from([1, 2, 4, 8]), numbers)


@given(st.lists(accesses, max_size=40))
@LAW
def test_whatever_is_written_the_queue_keeps_to_its_size(writes):
    v = fresh()
    for offset, size, value in writes:
        if offset % size == 0:
            write(v, offset, size, value)
            read(v, offset, size)
    assert int(v["status"]) in range(256)
    for queue in v["queues"][:QUEUES]:
        assert int(queue["size"]) in {1 << n for n in range(8)}
        assert queue["table"] % 16 == queue["driver"] % 2 == queue["device"] % 4 == 0
    assert not any(v["queues"][QUEUES:].tobytes())
