"""Chains of descriptors: what is one, and what is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import virtqueue
from mksim.hw.virtqueue import CHAIN

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
NEXT, WRITE, INDIRECT = 1, 2, 4
TABLE, SIZE = 0x1000, 8


def walk(tables, head=0, *, indirect=True, size=SIZE):
    """Return the segments of a chain and how many descriptors were read; None if it makes no sense.

    `tables` maps an address to its descriptors: address, length, flags, next.
    """
    chain, steps = np.zeros(1, CHAIN)[0], 0
    virtqueue.begin(chain, head, TABLE, size)
    while not virtqueue.ended(chain):
        at = int(virtqueue.where(chain))
        if at < 0:
            return None
        steps += 1
        table, index = next((t, (at - t) // 16) for t in sorted(tables, reverse=True) if t <= at)
        if index >= len(tables[table]) or not virtqueue.take(chain, *tables[table][index], size, indirect):
            return None
    count, outs = int(chain["count"]), int(chain["outs"])
    segments = list(zip(chain["address"][:count].tolist(), chain["length"][:count].tolist(), strict=True))
    assert chain["readable"] == sum(length for _, length in segments[:outs])
    assert chain["writable"] == sum(length for _, length in segments[outs:])
    return segments, outs, steps


def test_a_chain_in_the_table():
    table = [
        (0x100, 16, NEXT, 3),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (0x200, 512, NEXT | WRITE, 5),
        (0,) * 4,
        (0x300, 1, WRITE, 0),
    ]
    assert walk({TABLE: table}) == ([(0x100, 16), (0x200, 512), (0x300, 1)], 1, 3)


def test_a_chain_that_goes_on_in_an_indirect_table():
    table = [(0x100, 16, NEXT, 1), (0x8000, 32, INDIRECT, 0)]
    inner = [(0x200, 512, NEXT | WRITE, 1), (0x300, 1, WRITE, 0)]
    assert walk({TABLE: table, 0x8000: inner}) == ([(0x100, 16), (0x200, 512), (0x300, 1)], 1, 4)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ([(0x100, 16, NEXT, 0)], "a loop"),
        ([(0x100, 16, NEXT, SIZE)], "beyond the table"),
        ([(0x100, 16, NEXT | WRITE, 1), (0x200, 16, 0, 0)], "to be read behind what is to be written"),
        ([(0x8000, 16, INDIRECT | NEXT, 1)], "more behind an indirect table"),
        ([(0x8000, 24, INDIRECT, 0)], "a table that ends within a descriptor"),
        ([(0x8000, 0, INDIRECT, 0)], "an empty table"),
        ([(0x9000, 16, INDIRECT, 0)], "a table in a table"),
    ],
)
def test_what_makes_no_sense(table, why):
    inner = {0x8000: [(0x100, 16, 0, 0)], 0x9000: [(0x8000, 16, INDIRECT, 0)]}
    assert walk({TABLE: table} | inner) is None, why


def test_an_indirect_table_must_have_been_agreed_on():
    assert walk({TABLE: [(0x8000, 16, INDIRECT, 0)], 0x8000: [(1, 1, 0, 0)]}, indirect=False) is None


lengths = st.sampled_from([0, 1, 16, 32, 4096])
descriptor = st.tuples(st.integers(0, 1 << 40), lengths, st.integers(0, 7), st.integers(0, 9))
descriptors = st.lists(descriptor, min_size=SIZE, max_size=SIZE)


@given(descriptors, st.integers(0, 0xFFFF))
@LAW
def test_every_chain_ends(table, head):
    found = walk({TABLE: table, 1 << 41: []}, head)
    if found is not None:
        assert len(found[0]) <= SIZE
        assert found[2] <= SIZE + 1
