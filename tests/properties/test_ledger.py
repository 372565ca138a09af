"""Law: the ledger counts every crossing and invents none, in bounded memory, however many there are.

The judge is the list of all crossings.
"""

from collections import Counter
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config, njit

from mksim.fabric.ledger import Act, Ledger, note
from mksim.fabric.ownership import FIRMWARE, NOBODY, SHARED

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
KERNELS = 3
FIELDS = ("when", "kernel", "core", "rip", "act", "size", "granted", "target", "where")

words = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 3)
crossings = st.fixed_dictionaries(
    {
        "when": st.integers(0, 1 << 62),
        "kernel": st.sampled_from([0, 1, 2, NOBODY, FIRMWARE]),
        "core": st.integers(-1, 1023),
        "rip": words,
        "act": st.sampled_from([int(act) for act in Act]),
        "size": st.sampled_from([0, 1, 2, 4, 8]),
        "granted": st.booleans(),
        "target": st.sampled_from([0, 1, 2, NOBODY, SHARED, FIRMWARE]),
        "where": words,
    }
)
histories = st.lists(crossings, max_size=40)
rings = st.sampled_from([1, 2, 4, 8, 16, 32, 64])


def written(history: list[dict[str, int]], newest: int = 8, first: int = 4) -> Ledger:
    ledger = Ledger(KERNELS, newest=newest, first=first)
    for crossing in history:
        ledger.note(**crossing)
    return ledger


def as_recorded(crossing: dict[str, int]) -> tuple[int, ...]:
    unsigned = {"rip": crossing["rip"] % (1 << 64), "where": crossing["where"] % (1 << 64)}
    return tuple(int({**crossing, **unsigned}[field]) for field in FIELDS)


def rows(records: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(record[field]) for field in FIELDS) for record in records]


@LAW
@given(histories)
def test_counts_are_exact(history: list[dict[str, int]]) -> None:
    ledger = written(history)
    tally = Counter((c["kernel"], c["target"], c["act"], int(c["granted"])) for c in history)
    owners = [0, 1, 2, NOBODY, SHARED, FIRMWARE]
    for index in product(owners, owners, range(len(Act)), (0, 1)):
        assert ledger.counts[index] == tally[index]
    assert ledger.total == len(history)
    assert ledger.violations == sum(not c["granted"] for c in history)
    assert ledger.granted + ledger.violations == ledger.total == ledger.counts.sum()


@LAW
@given(histories, rings, st.integers(0, 50))
def test_the_newest_and_the_first_violations_are_kept(
    history: list[dict[str, int]], newest: int, first: int
) -> None:
    ledger = written(history, newest, first)
    assert rows(ledger.records()) == [as_recorded(c) for c in history[-newest:]]
    violations = [serial for serial, c in enumerate(history) if not c["granted"]]
    recent = [serial for serial in violations if serial >= len(history) - newest]
    assert ledger.recorded_violations()["serial"].tolist() == sorted({*violations[:first], *recent})


@LAW
@given(histories, rings, crossings, st.data())
def test_the_digest_stands_for_the_whole_history(
    history: list[dict[str, int]], newest: int, other: dict[str, int], data: st.DataObject
) -> None:
    digest = written(history).digest()
    assert written(history, newest, 0).digest() == digest
    place = data.draw(st.integers(0, len(history)))
    longer = [*history[:place], other, *history[place:]]
    assert written(longer).digest() != digest
    if place < len(history):
        changed = written([*history[:place], other, *history[place + 1 :]])
        same = as_recorded(other) == as_recorded(history[place])
        assert (changed.digest() == digest) == same


def test_a_million_crossings_are_counted_in_the_memory_of_a_few() -> None:
    ledger = Ledger(KERNELS, newest=64, first=16)
    many = 1_000_000 if not config.DISABLE_JIT else 5_000
    flood(ledger.ring, ledger.first, ledger.counts, ledger.head[0], many)
    assert ledger.total == ledger.violations == many == ledger.counts[1, 2, Act.WRITE, 0]
    assert ledger.first["when"].tolist() == list(range(16))
    assert ledger.records()["when"].tolist() == list(range(many - 64, many))


@njit(error_model="numpy")
def flood(ring: np.ndarray, first: np.ndarray, counts: np.ndarray, head: np.void, many: int) -> None:
    for when in range(many):
        note(ring, first, counts, head, when, 1, 0, 0x1000, 1, 8, False, 2, 0x2000)
