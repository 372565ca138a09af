"""The ledger of crossings."""

import numpy as np
import pytest

from mksim.fabric.ledger import CROSSING, FIRST, NEWEST, Act, Ledger
from mksim.fabric.ownership import FIRMWARE, NOBODY, SHARED

A, B = 0, 1


def note(ledger: Ledger, **changes: int) -> None:
    crossing = {"when": 100, "kernel": A, "core": 3, "rip": 0x1000, "act": Act.WRITE, "size": 8, "granted": 0}
    ledger.note(**{**crossing, "target": B, "where": 0x2000, **changes})


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(2, newest=4, first=2)


def test_an_empty_ledger_says_nothing(ledger: Ledger) -> None:
    assert (ledger.total, ledger.granted, ledger.violations) == (0, 0, 0)
    assert len(ledger.records()) == len(ledger.recorded_violations()) == 0
    assert ledger.matrix().tolist() == [[0, 0], [0, 0]]


def test_a_crossing_is_recorded_as_it_was(ledger: Ledger) -> None:
    note(ledger, when=1 << 61, rip=-(1 << 47), where=(1 << 40) - 1, act=Act.WALK, target=FIRMWARE, granted=1)
    record = ledger.records()[0]
    assert {name: int(record[name]) for name in CROSSING.names or ()} == {
        "serial": 0, "when": 1 << 61, "rip": 0xFFFF_8000_0000_0000, "where": (1 << 40) - 1, "kernel": A,
        "core": 3, "target": FIRMWARE, "act": Act.WALK, "size": 8, "granted": 1,
    }  # fmt: skip


def test_only_the_newest_are_kept_in_order(ledger: Ledger) -> None:
    for when in range(11):
        note(ledger, when=when, granted=1)
    assert ledger.records()["when"].tolist() == [7, 8, 9, 10]
    assert ledger.records()["serial"].tolist() == [7, 8, 9, 10]
    assert ledger.granted == ledger.total == 11


def test_the_first_violations_survive_a_flood(ledger: Ledger) -> None:
    for when in range(100):
        note(ledger, when=when, granted=when % 2)
    assert ledger.recorded_violations()["when"].tolist() == [0, 2, 96, 98]
    assert (ledger.granted, ledger.violations) == (50, 50)


def test_no_violation_is_listed_twice(ledger: Ledger) -> None:
    for when in range(3):
        note(ledger, when=when)
    assert ledger.recorded_violations()["when"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("kernel", [A, B, NOBODY, FIRMWARE])
@pytest.mark.parametrize("target", [A, B, NOBODY, SHARED, FIRMWARE])
@pytest.mark.parametrize("granted", [0, 1])
def test_every_pair_of_owners_has_a_count_of_its_own(
    ledger: Ledger, kernel: int, target: int, granted: int
) -> None:
    note(ledger, kernel=kernel, target=target, act=Act.IPI, granted=granted)
    assert ledger.counts[kernel, target, Act.IPI, granted] == 1
    assert ledger.counts.sum() == 1


def test_the_matrix_is_of_kernels(ledger: Ledger) -> None:
    note(ledger, kernel=A, target=B, granted=1)
    note(ledger, kernel=A, target=B, act=Act.NMI)
    note(ledger, kernel=B, target=A)
    note(ledger, kernel=A, target=SHARED, granted=1)
    note(ledger, kernel=FIRMWARE, target=B)
    assert ledger.matrix().tolist() == [[0, 2], [1, 0]]
    assert ledger.matrix(granted=True).tolist() == [[0, 1], [0, 0]]
    assert ledger.matrix(granted=False).tolist() == [[0, 1], [1, 0]]


def test_the_digest_does_not_depend_on_how_much_is_kept() -> None:
    small, large = Ledger(2, newest=1, first=1), Ledger(2)
    for when in range(50):
        note(small, when=when)
        note(large, when=when)
    assert small.digest() == large.digest()


@pytest.mark.parametrize("change", [
    {"when": 101}, {"kernel": B}, {"core": 4}, {"rip": 0x1001}, {"act": Act.READ}, {"size": 4},
    {"granted": 1}, {"target": NOBODY}, {"where": 0x2001}, {"rip": 0x1000 - (1 << 63)},
    {"where": 0x2000 - (1 << 63)},
])  # fmt: skip
def test_the_digest_sees_every_field(change: dict[str, int]) -> None:
    plain, changed = Ledger(2), Ledger(2)
    note(plain)
    note(changed, **change)
    assert plain.head["digest"] != changed.head["digest"]
    assert plain.digest() != changed.digest()


def test_the_digest_sees_the_order() -> None:
    one, other = Ledger(2), Ledger(2)
    for first, second, ledger in ((0x10, 0x20, one), (0x20, 0x10, other)):
        note(ledger, where=first)
        note(ledger, where=second)
    assert one.digest() != other.digest()


def test_records_are_copies(ledger: Ledger) -> None:
    note(ledger)
    ledger.records()["when"] = 7
    ledger.recorded_violations()["when"] = 7
    assert ledger.records()["when"].tolist() == ledger.recorded_violations()["when"].tolist() == [100]


def test_memory_is_bounded_whatever_happens() -> None:
    ledger = Ledger(64)
    size = sum(array.nbytes for array in (ledger.ring, ledger.first, ledger.counts))
    assert (len(ledger.ring), len(ledger.first)) == (NEWEST, FIRST)
    assert size < 8 << 20


def test_acts_keep_their_numbers() -> None:
    assert [act.name for act in Act][:10] == [
        "READ", "WRITE", "EXECUTE", "WALK", "IPI", "NMI", "INIT", "SIPI", "IN", "OUT",
    ]  # fmt: skip
    assert [int(act) for act in Act] == list(range(len(Act)))
    assert np.iinfo(CROSSING["act"]).max >= len(Act)
