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


def heard(d):
    """Return when each doorbell is heard, and its vector."""
    found = []
    while (when := int(ivshmem.deadline(d))) != NEVER:
        assert ivshmem.heard(d, when - 1) == -1
        found.append((when, int(ivshmem.heard(d, when))))
    return found


def unmask(d, vector):
    msix.write(d["messages"], 16 * vector + 12, 0)


def test_who_it_is_and_who_else_there_is(d):
    assert [int(ivshmem.read(d, at, 4)) for at in (0, 4, 8, 0xC, 0x10, 0x14)] == [2, 3, 0, 0, 0, 0]
    assert ivshmem.read(d, 0, 2) == 0


def test_what_is_sent_arrives_in_order(d):
    assert ivshmem.deadline(d) == NEVER
    for vector, when in ((1, 100), (2, 100), (3, 250)):
        ivshmem.ring(d, vector, when)
    assert heard(d) == [(100, 1), (100, 2), (250, 3)]


def test_a_flood_becomes_one(d):
    for number in range(100):
        ivshmem.ring(d, number % 4, number)
    assert heard(d) == [(number, number % 4) for number in (*range(31), 99)]


def test_a_state_is_shown_later_and_told_if_it_is_new(d):
    assert [bool(ivshmem.change(d, state, 100)) for state in (0, 7, 7)] == [False, True, False]
    assert (int(ivshmem.deadline(d)), int(ivshmem.heard(d, 100)), int(ivshmem.read(d, 0x10, 4))) == (
        100,
        -1,
        7,
    )


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
