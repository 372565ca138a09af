"""The local APIC's timer in its three modes."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import lapic
from tests.hw.lapic_guest import (
    DEADLINE,
    DIVIDE_BY,
    LVTT,
    MASKED,
    PERIODIC,
    SVR,
    TDCR,
    TMCCT,
    TMICT,
    read,
    started,
    write,
)


@pytest.fixture
def apic() -> np.void:
    return started()


class TestTimer:
    """12.5.4"""

    @pytest.mark.parametrize(("divisor", "code"), DIVIDE_BY.items())
    def test_divider(self, apic: np.void, divisor: int, code: int) -> None:
        write(apic, TDCR, code | 0xFFFF_FFF4)
        assert read(apic, TDCR) == code
        write(apic, LVTT, 0x31)
        write(apic, TMICT, 10, now=1000)
        assert apic["deadline"] == 1000 + 10 * divisor

    def test_counts_down_one_a_divided_tick(self, apic: np.void) -> None:
        write(apic, TDCR, DIVIDE_BY[4])
        write(apic, TMICT, 3, now=100)
        counts = [read(apic, TMCCT, now=now) for now in (100, 101, 103, 104, 107, 108, 111, 112, 500)]
        assert counts == [3, 3, 3, 2, 2, 1, 1, 0, 0]

    def test_one_shot_fires_once(self, apic: np.void) -> None:
        write(apic, LVTT, 0x31)
        write(apic, TMICT, 50, now=0)
        assert not lapic.expire(apic, 99)
        assert lapic.expire(apic, 100)
        assert lapic.acknowledge(apic) == 0x31
        assert apic["deadline"] == NEVER
        assert not lapic.expire(apic, 10_000)
        assert read(apic, TMICT) == 50

    def test_periodic_starts_again_by_itself(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 50, now=7)
        for deadline in (107, 207, 307):
            assert apic["deadline"] == deadline
            assert lapic.expire(apic, deadline)
            assert lapic.acknowledge(apic) == 0x31
            lapic.eoi(apic)

    def test_missed_periods_keep_the_phase_and_merge(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 50, now=7)
        assert read(apic, TMCCT, now=7 + 100 * 1000 + 4) == 48
        assert lapic.expire(apic, 7 + 100 * 1000 + 4)
        assert apic["deadline"] == 7 + 100 * 1001
        assert read(apic, TMCCT, now=7 + 100 * 1000 + 4) == 48

    def test_a_tiny_period_costs_no_loop(self, apic: np.void) -> None:
        write(apic, TDCR, DIVIDE_BY[1])
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 1, now=0)
        assert lapic.expire(apic, 1 << 60)
        assert apic["deadline"] == (1 << 60) + 1

    def test_the_longest_count(self, apic: np.void) -> None:
        write(apic, TDCR, DIVIDE_BY[128])
        write(apic, TMICT, 0xFFFF_FFFF, now=1 << 60)
        assert apic["deadline"] == (1 << 60) + (0xFFFF_FFFF << 7)
        assert read(apic, TMCCT, now=1 << 60) == 0xFFFF_FFFF

    def test_zero_stops_it(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 50, now=0)
        write(apic, TMICT, 0, now=10)
        assert apic["deadline"] == NEVER
        assert read(apic, TMCCT, now=20) == 0

    def test_a_masked_one_counts_silently(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | MASKED | 0x31)
        write(apic, TMICT, 50, now=0)
        assert apic["deadline"] == NEVER
        assert read(apic, TMCCT, now=102) == 49
        write(apic, LVTT, PERIODIC | 0x31, now=250)
        assert apic["deadline"] == 300
        assert lapic.highest(apic) == -1

    def test_an_interrupt_that_was_due_before_it_is_masked_comes(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 50, now=0)
        write(apic, LVTT, PERIODIC | MASKED | 0x31, now=120)
        assert lapic.highest(apic) == 0x31

    def test_disabling_by_software_masks_it_and_it_counts_on(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 50, now=0)
        write(apic, SVR, 0xFF, now=20)
        assert apic["deadline"] == NEVER
        assert read(apic, TMCCT, now=40) == 30

    def test_from_one_shot_to_periodic_the_count_goes_on(self, apic: np.void) -> None:
        write(apic, LVTT, 0x31)
        write(apic, TMICT, 50, now=0)
        write(apic, LVTT, PERIODIC | 0x31, now=40)
        assert read(apic, TMCCT, now=40) == 30
        assert lapic.expire(apic, 100)
        assert apic["deadline"] == 200

    def test_a_spent_one_shot_does_not_become_periodic(self, apic: np.void) -> None:
        write(apic, LVTT, 0x31)
        write(apic, TMICT, 50, now=0)
        write(apic, LVTT, PERIODIC | 0x31, now=140)
        assert apic["deadline"] == NEVER
        assert lapic.highest(apic) == 0x31

    def test_a_new_divider_goes_on_from_the_count(self, apic: np.void) -> None:
        write(apic, TMICT, 50, now=0)
        write(apic, TDCR, DIVIDE_BY[8], now=60)
        assert read(apic, TMCCT, now=60) == 20
        assert apic["deadline"] == 60 + 20 * 8

    def test_the_reserved_mode_is_one_shot(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | DEADLINE | 0x31)
        write(apic, TMICT, 50, now=0)
        assert lapic.expire(apic, 100)
        assert apic["deadline"] == NEVER

    def test_a_slow_caller_sees_the_same_count(self, apic: np.void) -> None:
        write(apic, LVTT, PERIODIC | 0x31)
        write(apic, TMICT, 7, now=0)
        prompt = apic.copy()
        for now in range(0, 100):
            lapic.expire(prompt, now)
            assert read(prompt, TMCCT, now=now) == read(apic, TMCCT, now=now)


class TestTscDeadline:
    """12.5.4.1"""

    @pytest.fixture
    def apic(self) -> np.void:
        apic = started()
        write(apic, LVTT, DEADLINE | 0x31)
        return apic

    def test_fires_once_and_clears_itself(self, apic: np.void) -> None:
        lapic.write_tsc_deadline(apic, 5000, 100)
        assert apic["tsc_deadline"] == apic["deadline"] == 5000
        assert not lapic.expire(apic, 4999)
        assert lapic.expire(apic, 5000)
        assert lapic.highest(apic) == 0x31
        assert (apic["tsc_deadline"], apic["deadline"]) == (0, NEVER)

    def test_zero_disarms(self, apic: np.void) -> None:
        lapic.write_tsc_deadline(apic, 5000, 100)
        lapic.write_tsc_deadline(apic, 0, 200)
        assert apic["deadline"] == NEVER

    def test_the_past_is_now(self, apic: np.void) -> None:
        lapic.write_tsc_deadline(apic, 50, 100)
        assert lapic.expire(apic, 100)

    @pytest.mark.parametrize("value", [-1, -(1 << 63), (1 << 63) - 1, 1 << 62])
    def test_the_far_future_never_comes(self, apic: np.void, value: int) -> None:
        lapic.write_tsc_deadline(apic, value, 100)
        assert apic["deadline"] == NEVER
        assert apic["tsc_deadline"] == value

    def test_a_tsc_that_is_ahead(self, apic: np.void) -> None:
        lapic.write_tsc_deadline(apic, 5000, 100, 4000)
        assert (apic["tsc_deadline"], apic["deadline"]) == (5000, 1000)
        lapic.write_tsc_deadline(apic, 3000, 100, 4000)
        assert lapic.expire(apic, 100)

    def test_counts_do_nothing_in_this_mode(self, apic: np.void) -> None:
        write(apic, TMICT, 50, now=0)
        assert (read(apic, TMICT), read(apic, TMCCT), apic["deadline"]) == (0, 0, NEVER)

    def test_the_divider_does_not_matter(self, apic: np.void) -> None:
        lapic.write_tsc_deadline(apic, 5000, 100)
        write(apic, TDCR, DIVIDE_BY[64], now=200)
        assert apic["deadline"] == 5000

    def test_ignored_in_other_modes(self) -> None:
        apic = started()
        write(apic, LVTT, PERIODIC | 0x31)
        lapic.write_tsc_deadline(apic, 5000, 100)
        assert (apic["tsc_deadline"], apic["deadline"]) == (0, NEVER)

    @pytest.mark.parametrize("mode", [0, PERIODIC])
    def test_leaving_the_mode_disarms(self, apic: np.void, mode: int) -> None:
        lapic.write_tsc_deadline(apic, 5000, 100)
        write(apic, LVTT, mode | 0x31, now=200)
        assert (apic["tsc_deadline"], apic["deadline"]) == (0, NEVER)

    def test_entering_the_mode_stops_the_count(self) -> None:
        apic = started()
        write(apic, TMICT, 50, now=0)
        write(apic, LVTT, DEADLINE | 0x31, now=10)
        assert apic["deadline"] == NEVER
