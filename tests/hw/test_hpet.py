"""The HPET from the guest's side: 32-bit registers by their offsets; 10 cycles a tick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import hpet
from mksim.hw.hpet import HPET, expire, levels, replaces_legacy, take_edges

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
CAP, CONF, STATUS, COUNT = 0x000, 0x010, 0x020, 0x0F0
LEVEL, ENABLE, PERIODIC, SET, BITS_32 = 0x02, 0x04, 0x08, 0x40, 0x100
PIN_20, PIN_21 = 20 << 9, 21 << 9


def fresh(rate=1_000_000_000):
    record = np.zeros(1, HPET)[0]
    hpet.reset(record, rate)
    return record


def read(h, offset, now=0):
    return int(hpet.read(h, offset, now))


def read64(h, offset, now=0):
    return read(h, offset, now) | read(h, offset + 4, now) << 32


def write(h, offset, value, now=0):
    hpet.write(h, offset, value, now)


def conf(n):
    return 0x100 + 0x20 * n


def comparator(n):
    return 0x108 + 0x20 * n


def run(h, until):
    """Let what is due happen; return (cycle, line) of each edge."""
    seen = []
    while h["deadline"] <= until:
        now = int(h["deadline"])
        expire(h, now)
        seen.append((now, int(take_edges(h)).bit_length() - 1))
    return seen


@pytest.fixture
def h():
    return fresh()


def test_capabilities_name_the_period_and_three_timers(h):
    assert read(h, CAP + 4) == 10_000_000  # femtoseconds
    assert read(h, CAP) == 0x8086A201
    assert read(h, conf(0)) == 0x30
    assert read(h, conf(2) + 4) == 0x00F00000
    assert read64(h, comparator(1)) == (1 << 64) - 1


def test_the_counter_counts_while_it_is_enabled(h):
    assert read64(h, COUNT, 1000) == 0
    write(h, CONF, 1, 1000)
    assert read64(h, COUNT, 1000 + 12_345) == 1234
    write(h, CONF, 0, 20_000)
    assert read64(h, COUNT, 50_000) == 1900


def test_the_counter_is_set_by_halves_and_carries(h):
    write(h, COUNT, 0xFFFFFFFF)
    write(h, COUNT + 4, 7)
    write(h, CONF, 1)
    assert read64(h, COUNT, 10) == 8 << 32


def test_one_shot_fires_once_on_its_pin(h):
    write(h, conf(0), ENABLE | PIN_20)
    write(h, comparator(0), 50)
    write(h, comparator(0) + 4, 0)
    write(h, CONF, 1, 100)
    assert run(h, 10**9) == [(600, 20)]
    assert h["deadline"] == NEVER
    assert read(h, STATUS, 10**6) == 0


def test_a_comparator_that_was_passed_does_not_fire(h):
    write(h, conf(0), ENABLE | PIN_20)
    write(h, CONF, 1)
    write(h, comparator(0), 50, 5000)
    write(h, comparator(0) + 4, 0, 5000)
    assert run(h, 10**12) == []


def test_32_bits_fire_at_every_turn_of_the_low_half(h):
    write(h, conf(0), ENABLE | PIN_21 | BITS_32)
    write(h, comparator(0), 50)
    write(h, CONF, 1)
    assert run(h, 10 * (1 << 33)) == [(500, 21), (500 + 10 * (1 << 32), 21)]


def test_linux_sets_a_periodic_timer(h):
    """hpet_clkevt_set_state_periodic(): accumulator with VAL_SET, then the period without."""
    write(h, CONF, 0)
    write(h, COUNT, 0)
    write(h, COUNT + 4, 0)
    write(h, CONF, 3)
    write(h, conf(0), ENABLE | PERIODIC | SET | BITS_32, 10_000)
    assert read(h, conf(0), 10_000) == ENABLE | PERIODIC | BITS_32 | 0x30
    write(h, comparator(0), 3000, 10_000)
    write(h, comparator(0), 2000, 20_000)
    assert run(h, 80_000) == [(30_000, 0), (50_000, 0), (70_000, 0)]
    assert read(h, comparator(0), 80_000) == 9000


def test_a_write_of_64_bits_with_val_set_sets_both_halves(h):
    write(h, conf(1), PERIODIC | SET)
    write(h, comparator(1), 5)
    write(h, comparator(1) + 4, 6)
    assert read64(h, comparator(1)) == 6 << 32 | 5
    write(h, comparator(1), 8)
    write(h, comparator(1) + 4, 9)
    assert read64(h, comparator(1)) == 6 << 32 | 5


def test_periods_that_nobody_watched_are_made_up_for(h):
    write(h, conf(2), PERIODIC | SET)
    write(h, comparator(2), 100)
    write(h, comparator(2) + 4, 0)
    write(h, CONF, 1)
    assert read(h, comparator(2), 123_456_789) == 12_345_700
    assert h["deadline"] == NEVER


def test_a_level_interrupt_stays_until_its_status_is_cleared(h):
    write(h, conf(0), ENABLE | LEVEL | PIN_20)
    write(h, conf(1), ENABLE | LEVEL | PIN_20)
    for n in (0, 1):
        write(h, comparator(n), 50 * (n + 1))
        write(h, comparator(n) + 4, 0)
    write(h, CONF, 1)
    expire(h, 500)
    expire(h, 1000)
    assert (levels(h), read(h, STATUS, 1000), take_edges(h)) == (1 << 20, 3, 0)
    write(h, STATUS, 1, 1000)
    assert levels(h) == 1 << 20
    write(h, STATUS, 2, 1000)
    assert (levels(h), read(h, STATUS, 1000)) == (0, 0)


def test_status_is_set_without_enable_and_the_line_follows_it(h):
    write(h, conf(0), LEVEL | PIN_20)
    write(h, comparator(0), 50)
    write(h, comparator(0) + 4, 0)
    write(h, CONF, 1)
    assert read(h, STATUS, 1000) == 1
    assert levels(h) == 0
    write(h, conf(0), LEVEL | ENABLE | PIN_20, 1000)
    assert levels(h) == 1 << 20


def test_legacy_replacement_takes_the_lines_of_pit_and_rtc(h):
    write(h, CONF, 2)
    assert replaces_legacy(h)
    for n in range(3):
        write(h, conf(n), ENABLE | PIN_21)
        write(h, comparator(n), 10 * (n + 1))
        write(h, comparator(n) + 4, 0)
    write(h, CONF, 3)
    assert run(h, 1000) == [(100, 0), (200, 8), (300, 21)]


def test_a_route_that_is_not_offered_does_not_read_back(h):
    write(h, conf(0), PIN_20)
    write(h, conf(0), 3 << 9)
    assert read(h, conf(0)) == PIN_20 | 0x30


def test_halted_nothing_fires(h):
    write(h, conf(0), ENABLE | PIN_20)
    write(h, comparator(0), 50)
    write(h, comparator(0) + 4, 0)
    write(h, CONF, 1)
    write(h, CONF, 0, 200)
    assert h["deadline"] == NEVER
    write(h, CONF, 1, 10_000)
    assert run(h, 20_000) == [(10_300, 20)]


@pytest.mark.parametrize("rate", [1_000_000, 333_333_333, 2_000_000_000])
def test_a_deadline_is_the_first_cycle_of_the_match_at_any_rate(rate):
    h = fresh(rate)
    write(h, conf(0), ENABLE | PIN_20)
    write(h, comparator(0), 12_345)
    write(h, comparator(0) + 4, 0)
    write(h, CONF, 1)
    now = int(h["deadline"])
    assert read64(h, COUNT, now - 1) < 12_345 <= read64(h, COUNT, now)


VALUES = st.integers(0, 0xFFFFFFFF) | st.integers(0, 0x1FF)
WRITES = st.lists(
    st.tuples(st.integers(0, 0x3FF), VALUES, st.integers(0, 10**10)),
    max_size=40,
)


@LAW
@given(WRITES)
def test_any_writes_leave_registers_of_32_bits_and_deadlines_to_come(writes):
    h, now = fresh(), 0
    for offset, value, pause in writes:
        now += pause
        write(h, offset & ~3, value, now)
        assert 0 <= read(h, offset & ~3, now) <= 0xFFFFFFFF
        assert h["deadline"] > now
        assert levels(h) & ~0xF00101 == 0


@LAW
@given(st.integers(1, 5000), st.integers(1, 5000), st.lists(st.integers(1, 20_000), max_size=20))
def test_a_periodic_timer_is_a_sum_of_periods_whoever_looks(first, period, looks):
    h, now = fresh(), 0
    write(h, conf(0), ENABLE | PERIODIC | SET | PIN_20)
    write(h, comparator(0), first)
    write(h, comparator(0) + 4, 0)
    write(h, conf(0), ENABLE | PERIODIC | PIN_20)
    write(h, comparator(0), period)
    write(h, comparator(0) + 4, 0)
    write(h, CONF, 1)
    edges = []
    for look in looks:
        now += look
        edges += run(h, now)
        assert read64(h, COUNT, now) == now // 10
    assert [at for at, _ in edges] == list(range(10 * first, now + 1, 10 * period))
