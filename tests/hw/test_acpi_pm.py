"""PM1a and the PM timer from the guest's side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import acpi_pm
from mksim.hw.acpi_pm import PM, expire, line

STATUS, ENABLE, CONTROL, TIMER, SLEEP_CONTROL = 0, 2, 4, 8, 12
GHZ = 1_000_000_000
HALF_TURN = -(-(1 << 23) * GHZ // 3_579_545)
"""First cycle at which bit 23 of the timer is set."""


def fresh(bits=24, rate=GHZ):
    m = np.zeros(1, PM)[0]
    acpi_pm.reset(m, rate, bits)
    return m


def read(m, offset, size=2, now=0):
    return int(acpi_pm.read(m, offset, size, now))


def write(m, offset, value, size=2, now=0):
    return int(acpi_pm.write(m, offset, size, value, now))


@pytest.fixture
def m():
    return fresh()


def test_power_off_is_slp_en_with_type_5(m):
    assert write(m, CONTROL, 5 << 10 | 1 << 13) == 1


def test_reduced_power_off_is_slp_en_with_type_5(m):
    assert write(m, SLEEP_CONTROL, 5 << 2, size=1) == 0
    assert write(m, SLEEP_CONTROL, 4 << 2 | 1 << 5, size=1) == 0
    assert write(m, SLEEP_CONTROL, 5 << 2 | 1 << 5, size=1) == 1
    assert read(m, SLEEP_CONTROL) == 0


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 6, 7])
def test_other_sleep_types_do_nothing(m, kind):
    assert write(m, CONTROL, kind << 10 | 1 << 13) == 0


def test_the_type_alone_does_nothing(m):
    assert write(m, CONTROL, 5 << 10) == 0
    assert read(m, CONTROL) == 5 << 10 | 1


def test_power_off_works_byte_by_byte_and_in_a_wider_write(m):
    assert write(m, CONTROL + 1, 0x34, size=1) == 1
    assert write(m, CONTROL, 0x3400, size=4) == 1
    assert write(m, STATUS, 0x34003400, size=4) == 0


def test_slp_en_reads_as_zero_and_sci_en_as_one(m):
    write(m, CONTROL, 0x2000)
    assert read(m, CONTROL) == 1


def test_enable_holds_only_events_that_exist(m):
    write(m, ENABLE, 0xFFFF)
    assert read(m, ENABLE) == 0x0721
    write(m, ENABLE + 1, 0, size=1)
    assert read(m, ENABLE) == 0x0021


def test_status_and_enable_are_one_doubleword(m):
    write(m, STATUS, 0x0020_0000, size=4)
    assert read(m, STATUS, size=4) == 0x0020_0000


@pytest.mark.parametrize(("bits", "mask"), [(24, 0xFFFFFF), (32, 0xFFFFFFFF)])
def test_the_timer_counts_at_its_frequency_and_wraps(bits, mask):
    m = fresh(bits)
    for seconds in (0, 1, 3, 4, 5, 1000, 1201):
        assert read(m, TIMER, 4, seconds * GHZ) == 3_579_545 * seconds & mask


def test_the_timer_ignores_writes(m):
    write(m, TIMER, 0xFFFFFFFF, size=4)
    assert read(m, TIMER, 4, GHZ) == 3_579_545


def test_each_half_turn_of_the_timer_sets_its_status(m):
    assert read(m, STATUS, now=HALF_TURN - 1) == 0
    assert read(m, STATUS, now=HALF_TURN) == 1
    write(m, STATUS, 1, now=HALF_TURN)
    assert read(m, STATUS, now=2 * HALF_TURN - 2) == 0
    assert read(m, STATUS, now=2 * HALF_TURN) == 1


def test_an_enabled_half_turn_raises_the_sci_at_its_deadline(m):
    write(m, ENABLE, 1)
    assert m["deadline"] == HALF_TURN
    assert not line(m, HALF_TURN - 1)
    assert expire(m, HALF_TURN)
    assert line(m, HALF_TURN)
    assert m["deadline"] == NEVER
    write(m, STATUS, 1, now=HALF_TURN)
    assert not line(m, HALF_TURN)
    assert HALF_TURN < m["deadline"] <= 2 * HALF_TURN


def test_the_gap_reads_as_zero(m):
    assert read(m, 6) == 0


ACCESSES = st.tuples(st.booleans(), st.integers(0, 15), st.sampled_from([1, 2, 4]), st.integers(0, 1 << 32))


@settings(deadline=None, derandomize=True)
@given(st.lists(ACCESSES))
def test_any_accesses_are_answered(accesses):
    m = fresh()
    for now, (writes, offset, size, value) in enumerate(accesses):
        if writes:
            assert write(m, offset, value, size, now) in (0, 1)
        else:
            assert 0 <= read(m, offset, size, now) < 1 << 8 * size
