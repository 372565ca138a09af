"""The MC146818A from the guest's side: index, data."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import rtc
from mksim.hw.rtc import RTC, expire, line, set_memory

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
A, B, C, D, CENTURY = 0x0A, 0x0B, 0x0C, 0x0D, 0x32
SET, PIE, AIE, UIE, BINARY, H24 = 0x80, 0x40, 0x20, 0x10, 0x04, 0x02
SECOND = 1_000_000_000
START = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
CLOCK = (CENTURY, 9, 8, 7, 4, 2, 0)  # century, year, month, day, hour, minute, second


def fresh(start=START):
    r = np.zeros(1, RTC)[0]
    rtc.reset(r, int(start.timestamp()), SECOND)
    return r


def read(r, index, now=0):
    rtc.write(r, 0, index, now)
    return int(rtc.read(r, 1, now))


def write(r, index, value, now=0):
    rtc.write(r, 0, index, now)
    rtc.write(r, 1, value, now)


def clock(r, now=0):
    return [read(r, index, now) for index in CLOCK]


def set_clock(r, values, now=0):
    """As Linux does it: mc146818_set_time()."""
    write(r, B, read(r, B, now) | SET, now)
    for index, value in zip(CLOCK, values, strict=True):
        write(r, index, value, now)
    write(r, B, read(r, B, now) & ~SET, now)


@pytest.fixture
def r():
    return fresh()


def test_time_is_bcd_and_24_hours_after_reset(r):
    assert clock(r) == [0x20, 0x23, 0x11, 0x14, 0x22, 0x13, 0x20]
    assert read(r, 6) == 3  # Tuesday


def test_binary_mode(r):
    write(r, B, H24 | BINARY)
    assert clock(r) == [20, 23, 11, 14, 22, 13, 20]


@pytest.mark.parametrize(
    ("hour", "shown"), [(0, 0x12), (1, 0x01), (11, 0x11), (12, 0x92), (13, 0x81), (23, 0x91)]
)
def test_twelve_hour_mode(hour, shown):
    r = fresh(START.replace(hour=hour))
    write(r, B, 0)
    assert read(r, 4) == shown


def test_time_goes_on_with_the_cycles(r):
    assert read(r, 0, SECOND - 1) == 0x20
    assert read(r, 0, SECOND) == 0x21
    assert clock(r, 10_000_000 * SECOND) == [0x20, 0x24, 0x03, 0x09, 0x16, 0x00, 0x00]


def test_the_index_register_cannot_be_read_and_has_seven_bits(r):
    assert rtc.read(r, 0, 0) == 0xFF
    assert read(r, 0x80 | D) == 0x80


def test_ram_keeps_bytes_but_d_does_not(r):
    write(r, 0x0F, 0x10A)
    write(r, 0x7F, 0x55)
    write(r, D, 0)
    assert (read(r, 0x0F), read(r, 0x7F), read(r, D)) == (0x0A, 0x55, 0x80)


@pytest.mark.parametrize("size_mib", [1, 16, 64, 256, 3072])
def test_memory_size_is_where_firmware_looks_for_it(r, size_mib):
    set_memory(r, size_mib << 20)
    words = [read(r, index) | read(r, index + 1) << 8 for index in (0x15, 0x17, 0x30, 0x34)]
    extended = min((size_mib - 1) << 10, 65535)
    assert words == [640, extended, extended, max(size_mib - 16, 0) << 4]


def test_update_in_progress_shows_244_microseconds_before_the_second(r):
    assert read(r, A, SECOND - 244_001) == 0x26
    assert read(r, A, SECOND - 244_000) == 0xA6
    assert read(r, A, SECOND) == 0x26


def test_set_stops_the_time(r):
    write(r, B, H24 | SET)
    assert read(r, 0, 5 * SECOND) == 0x20
    assert read(r, A, 6 * SECOND - 1) == 0x26
    write(r, B, H24, 5 * SECOND)
    assert read(r, 0, 6 * SECOND) == 0x21


def test_set_clears_the_update_interrupt(r):
    write(r, B, H24 | UIE)
    write(r, B, H24 | UIE | SET)
    assert read(r, B) == H24 | SET


def test_setting_field_by_field_passes_through_dates_that_do_not_exist(r):
    set_clock(r, [0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x59])
    assert clock(r, SECOND) == [0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]


def test_writing_a_running_clock_works_too(r):
    write(r, 2, 0x45)
    assert clock(r, SECOND) == [0x20, 0x23, 0x11, 0x14, 0x22, 0x45, 0x21]


def test_the_first_update_comes_half_a_second_after_the_divider_is_let_go(r):
    write(r, A, 0x76)
    assert read(r, 0, 3 * SECOND) == 0x20
    write(r, A, 0x26, 3 * SECOND)
    assert read(r, 0, 3 * SECOND + SECOND // 2 - 1) == 0x20
    assert read(r, 0, 3 * SECOND + SECOND // 2) == 0x21


@pytest.mark.parametrize(
    ("select", "hertz"), [(1, 256), (2, 128), (3, 8192), (6, 1024), (8, 256), (13, 8), (15, 2)]
)
def test_periodic_interrupt_rates(r, select, hertz):
    write(r, A, 0x20 | select)
    write(r, B, H24 | PIE)
    assert r["deadline"] == -(-SECOND // hertz)
    assert expire(r, r["deadline"])
    assert read(r, C, r["seen"]) == 0xC0
    assert r["deadline"] == -(-2 * SECOND // hertz)


def test_rate_zero_is_no_period(r):
    write(r, A, 0x20)
    write(r, B, H24 | PIE)
    assert r["deadline"] == NEVER


def test_the_line_stays_high_and_quiet_until_c_is_read(r):
    write(r, B, H24 | PIE)
    assert expire(r, 10**12)
    assert r["deadline"] == NEVER
    assert line(r)
    read(r, C, 10**12)
    assert not line(r)
    assert r["deadline"] > 10**12


def test_flags_rise_without_their_enables(r):
    assert read(r, C, SECOND) == 0x50
    assert read(r, C, SECOND) == 0x00


def test_enabling_a_flag_that_stands_raises_the_line_at_once(r):
    write(r, B, H24 | UIE, SECOND)
    assert line(r)


def test_update_ended_interrupt_comes_each_second(r):
    write(r, B, H24 | UIE)
    for second in range(1, 4):
        assert r["deadline"] == second * SECOND
        expire(r, second * SECOND)
        assert read(r, C, second * SECOND) & 0x90 == 0x90


@pytest.mark.parametrize(
    ("alarm", "wait"),
    [
        ((0x30, 0x13, 0x22), 10),
        ((0x20, 0x13, 0x22), 86400),
        ((0xC0, 0xFF, 0xC0), 1),
        ((0x00, 0xFF, 0xFF), 40),
        ((0x00, 0x00, 0xFF), 46 * 60 + 40),
        ((0x10, 0x13, 0x00), 2 * 3600 - 10),
    ],
)
def test_the_alarm_finds_its_second(r, alarm, wait):
    for index, value in zip((1, 3, 5), alarm, strict=True):
        write(r, index, value)
    write(r, B, H24 | AIE)
    assert r["deadline"] == wait * SECOND
    assert expire(r, r["deadline"])
    assert read(r, C, r["seen"]) & 0xA0 == 0xA0


def test_an_alarm_that_cannot_be_never_comes(r):
    write(r, 5, 0x25)
    write(r, B, H24 | AIE)
    assert r["deadline"] == NEVER
    assert not read(r, C, 10**15) & 0x20


def test_an_alarm_in_twelve_hour_mode(r):
    write(r, B, 0)
    for index, value in ((1, 0), (3, 0), (5, 0x91)):
        write(r, index, value)
    write(r, B, AIE)
    assert r["deadline"] == (46 * 60 + 40) * SECOND


DATES = st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31))


@LAW
@given(DATES, st.integers(0, 86400 * 1000))
def test_the_calendar_is_the_gregorian(start, seconds):
    start = start.replace(tzinfo=UTC, microsecond=0)
    r = fresh(start)
    write(r, B, H24 | BINARY)
    then = start + timedelta(seconds=seconds)
    expected = [then.year // 100, then.year % 100, then.month, then.day, then.hour, then.minute, then.second]
    assert clock(r, seconds * SECOND) == expected
    assert read(r, 6, seconds * SECOND) == then.isoweekday() % 7 + 1


@LAW
@given(DATES, st.sampled_from([0, H24, BINARY, H24 | BINARY]))
def test_a_time_set_is_the_time_read(start, mode):
    shown = fresh(start.replace(tzinfo=UTC))
    write(shown, B, mode)
    r = fresh()
    write(r, B, mode)
    set_clock(r, clock(shown))
    assert clock(r) == clock(shown)


ACCESSES = st.tuples(st.integers(0, 127), st.one_of(st.none(), st.integers(0, 255)), st.integers(0, 10**13))


@LAW
@given(st.lists(ACCESSES))
def test_any_accesses_are_answered_and_deadlines_lie_ahead(accesses):
    r, now = fresh(), 0
    for index, value, wait in accesses:
        now += wait
        if value is None:
            assert 0 <= read(r, index, now) <= 255
        else:
            write(r, index, value, now)
        expire(r, now)
        assert r["deadline"] > now
