"""`scale` against Python's own integers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER, scale

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
FACTORS = st.integers(1, (1 << 31) - 1)
TIMES = st.integers(-NEVER + 1, NEVER - 1)


def fits(value, numerator, denominator):
    return abs(value) // denominator * numerator + numerator < 1 << 63


@LAW
@given(TIMES, FACTORS, FACTORS)
def test_scale_is_the_exact_floor(value, numerator, denominator):
    if not fits(value, numerator, denominator):
        value %= denominator
    assert scale(value, numerator, denominator) == value * numerator // denominator


@LAW
@given(st.integers(0, NEVER - 1), FACTORS)
def test_scaling_by_one_changes_nothing(value, factor):
    if not fits(value, factor, factor):
        value %= factor
    assert scale(value, factor, factor) == value


@LAW
@given(st.integers(0, 1 << 40), FACTORS, FACTORS)
def test_the_ceiling_is_the_first_time_that_scales_back(ticks, frequency, rate):
    """Chips compute the cycle of a tick this way: no earlier cycle has reached it, and that one has."""
    if not fits(ticks, rate, frequency):
        ticks %= frequency
    cycle = -scale(-ticks, rate, frequency)
    assert scale(cycle, frequency, rate) >= ticks
    assert scale(cycle - 1, frequency, rate) < ticks


@pytest.mark.parametrize("value", [0, 1, 999_999_999, 10**9, NEVER - 1, -1, -(10**9) - 1])
def test_a_timer_at_the_usual_rate(value):
    assert scale(value, 1_193_182, 10**9) == value * 1_193_182 // 10**9
