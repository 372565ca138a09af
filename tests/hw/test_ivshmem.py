"""An ivshmem device: what its driver reads, and what is on its way to it."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import ivshmem, msix
from mksim.hw.ivshmem import IVSHMEM


@pytest.fixture
def d():
    record = np.zeros(1, IVSHMEM)[0]
    record["id"], record["peers"] = 2, 3
    ivshmem.power_up(record)
    return record


def unmask(d, vector):
    msix.write(d["messages"], 16 * vector + 12, 0)


def test_who_it_is_and_who_else_there_is(d):
    assert [int(ivshmem.read(d, at, 4)) for at in (0, 4, 8, 0xC, 0x10, 0x14)] == [2, 3, 0, 0, 0, 0]
    assert ivshmem.read(d, 0, 2) == 0


def test_what_is_sent_arrives_in_order(d):
    assert ivshmem.deadline(d) == NEVER
    for what, when in ((1, 100), (-8, 100), (3, 250)):
        ivshmem.send(d, what, when)
    arrived = []
    while (when := int(ivshmem.deadline(d))) != NEVER:
        arrived.append((when, int(ivshmem.arrive(d))))
    assert arrived == [(100, 1), (100, -8), (250, 3)]


def test_a_flood_becomes_one(d):
    for number in range(100):
        ivshmem.send(d, number % 4, number)
    arrived = []
    while (when := int(ivshmem.deadline(d))) != NEVER:
        arrived.append((when, int(ivshmem.arrive(d))))
    assert arrived == [(number, number % 4) for number in (*range(31), 99)]


@pytest.mark.parametrize(
    ("enabled", "vector", "posted"), [(1, 1, 1), (0, 1, -1), (1, 2, -1), (1, 4, -1), (1, -1, -1)]
)
def test_an_interrupt_that_is_not_wanted_is_lost(d, enabled, vector, posted):
    d["enabled"] = enabled
    unmask(d, 1)
    ivshmem.interrupt(d, vector, False)
    assert msix.take(d["messages"]) == posted


def test_one_shot(d):
    d["enabled"] = 1
    unmask(d, 1)
    for posted in (1, -1):
        ivshmem.interrupt(d, 1, True)
        assert (int(msix.take(d["messages"])), int(d["enabled"])) == (posted, 0)
