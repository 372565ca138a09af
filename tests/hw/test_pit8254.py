"""The 8254 from the guest's side. At RATE one cycle is one CLK unless a test says otherwise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import pit8254
from mksim.hw.pit8254 import PIT, expire, out, port_b_read, port_b_write, set_gate
from mksim.spec.pit import FREQUENCY

CONTROL = 3
GHZ = 1_000_000_000


def fresh(rate=FREQUENCY):
    p = np.zeros(1, PIT)[0]
    pit8254.reset(p, rate)
    return p


def write(p, offset, value, now=0):
    pit8254.write(p, offset, value, now)


def read(p, offset, now=0):
    return int(pit8254.read(p, offset, now))


def program(p, counter, mode, count, now=0, bcd=0):
    write(p, CONTROL, counter << 6 | 0x30 | mode << 1 | bcd, now)
    write(p, counter, count & 0xFF, now)
    write(p, counter, count >> 8, now)


def latched(p, counter, now):
    write(p, CONTROL, counter << 6, now)
    return read(p, counter, now) | read(p, counter, now) << 8


def wave(p, counter, ticks):
    return "".join("_-"[int(out(p, counter, now))] for now in ticks)


@pytest.fixture
def p():
    return fresh()


# --- modes; each drawing starts at the tick in which the count is written


def test_mode_0_rises_one_clk_after_the_count(p):
    program(p, 0, 0, 3)
    assert wave(p, 0, range(8)) == "____----"
    assert p["deadline"] == 4


def test_mode_1_is_low_for_the_count_after_its_trigger(p):
    set_gate(p, 2, 0, 0)
    program(p, 2, 1, 3)
    assert wave(p, 2, range(4)) == "----"
    set_gate(p, 2, 1, 4)
    assert wave(p, 2, range(4, 10)) == "-___--"


def test_mode_1_triggered_again_stays_low(p):
    program(p, 2, 1, 3)
    set_gate(p, 2, 1, 0)
    set_gate(p, 2, 0, 2)
    set_gate(p, 2, 1, 2)
    assert wave(p, 2, range(2, 8)) == "____--"


def test_mode_2_is_low_for_the_last_clk_of_each_period(p):
    program(p, 0, 2, 3)
    assert wave(p, 0, range(10)) == "---_--_--_"


def test_mode_3_is_high_for_the_longer_half(p):
    program(p, 0, 3, 5)
    assert wave(p, 0, range(12)) == "----__---__-"


def test_mode_4_strobes_once(p):
    program(p, 0, 4, 2)
    assert wave(p, 0, range(7)) == "---_---"
    assert p["deadline"] == 4


def test_mode_5_strobes_after_its_trigger(p):
    program(p, 2, 5, 2)
    set_gate(p, 2, 1, 1)
    assert wave(p, 2, range(1, 7)) == "---_--"


@pytest.mark.parametrize(("written", "mode"), [(6, 2), (7, 3)])
def test_modes_6_and_7_are_2_and_3(p, written, mode):
    program(p, 0, written, 4)
    program(p, 2, mode, 4)
    port_b_write(p, 1, 0)
    assert wave(p, 0, range(1, 12)) == wave(p, 2, range(1, 12))


def test_a_control_word_alone_stops_the_counter(p):
    program(p, 0, 2, 3)
    write(p, CONTROL, 0x30, 5)
    assert not out(p, 0, 100)
    assert p["deadline"] == NEVER


def test_the_first_byte_stops_mode_0(p):
    program(p, 0, 0, 3)
    write(p, 0, 9, 2)
    assert p["deadline"] == NEVER
    assert not out(p, 0, 50)
    write(p, 0, 0, 50)
    assert p["deadline"] == 60


# --- interrupts


def test_deadlines_of_a_period_never_drift():
    """Linux at HZ=250: 4772 CLK a tick, 3.99939 ms at one cycle a nanosecond."""
    p = fresh(GHZ)
    program(p, 0, 2, 4772)
    for period in range(1, 2000):
        rise = 1 + period * 4772
        assert p["deadline"] == -(-rise * GHZ // FREQUENCY)
        assert expire(p, p["deadline"])


def test_missed_periods_are_one_edge_and_cost_nothing():
    p = fresh(GHZ)
    program(p, 0, 2, 2)
    assert expire(p, 10**15)
    assert 10**15 < p["deadline"] <= 10**15 + 1700
    assert not expire(p, 10**15)


@pytest.mark.parametrize("mode", [2, 3])
def test_a_count_of_one_never_rises(p, mode):
    program(p, 0, mode, 1)
    assert p["deadline"] == NEVER
    assert out(p, 0, 12345)


def test_several_ticks_in_a_cycle_do_not_stop_the_clock():
    p = fresh(1000)
    program(p, 0, 2, 2)
    for _ in range(10):
        now = int(p["deadline"])
        expire(p, now)
        assert p["deadline"] == now + 1


def test_one_shot_deadline_comes_once(p):
    program(p, 0, 4, 100)
    assert expire(p, p["deadline"])
    assert p["deadline"] == NEVER
    write(p, 0, 50, 200)  # as Linux's pit_next_event(): a count, no control word
    write(p, 0, 0, 200)
    assert p["deadline"] == 252


def test_a_new_count_waits_for_the_end_of_the_period(p):
    program(p, 0, 2, 10)
    write(p, 0, 4, 3)
    write(p, 0, 0, 3)
    assert p["deadline"] == 11
    expire(p, 11)
    assert p["deadline"] == 15


# --- what software reads


def test_zero_is_the_largest_count(p):
    program(p, 0, 2, 0)
    assert p["count"][0] == 65536
    assert latched(p, 0, 1) == 0
    assert latched(p, 0, 2) == 65535


def test_bcd_counts_in_decades(p):
    program(p, 0, 2, 0x1000, bcd=1)
    assert latched(p, 0, 2) == 0x0999
    program(p, 0, 2, 0, bcd=1)
    assert p["count"][0] == 10000


def test_a_latch_holds_until_it_is_read(p):
    program(p, 0, 2, 1000)
    write(p, CONTROL, 0x00, 11)
    write(p, CONTROL, 0x00, 500)
    assert read(p, 0, 600) | read(p, 0, 700) << 8 == 990
    assert read(p, 0, 801) | read(p, 0, 801) << 8 == 200


def test_one_byte_accesses_touch_one_byte(p):
    write(p, CONTROL, 0x24)
    write(p, 0, 0x12)
    assert p["count"][0] == 0x1200
    assert read(p, 0, 1) == 0x12
    write(p, CONTROL, 0x14)
    write(p, 0, 0x34)
    assert p["count"][0] == 0x34
    assert [read(p, 0, 1), read(p, 0, 1)] == [0x34, 0x34]


def test_mode_3_counts_by_two(p):
    program(p, 0, 3, 8)
    assert [latched(p, 0, 1 + tick) for tick in range(9)] == [8, 6, 4, 2, 8, 6, 4, 2, 8]


def test_mode_0_counts_on_below_zero(p):
    program(p, 0, 0, 2)
    assert [latched(p, 0, 1 + tick) for tick in range(4)] == [2, 1, 0, 65535]


def test_read_back_gives_status_before_count(p):
    program(p, 0, 2, 100)
    program(p, 2, 0, 200)
    write(p, CONTROL, 0xCA, 21)  # counters 0 and 2
    assert read(p, 0, 30) == 0xB4
    assert read(p, 0, 30) | read(p, 0, 30) << 8 == 80
    assert read(p, 2, 30) & 0x80 == 0


def test_status_says_that_a_count_is_not_yet_loaded(p):
    program(p, 0, 2, 100)
    write(p, CONTROL, 0xE2, 0)
    assert read(p, 0) & 0x40
    write(p, CONTROL, 0xE2, 1)
    assert not read(p, 0) & 0x40
    write(p, 0, 50, 5)
    write(p, 0, 0, 5)
    write(p, CONTROL, 0xE2, 6)
    assert read(p, 0) & 0x40


def test_the_control_port_reads_as_zero(p):
    assert read(p, CONTROL) == 0


# --- port 0x61


def test_port_b_gates_the_speakers_counter(p):
    """How Linux calibrates its TSC: counter 2 in mode 0, polled at bit 5."""
    port_b_write(p, 0, 0)
    program(p, 2, 0, 1000)
    assert not port_b_read(p, 5000) & 0x20
    port_b_write(p, 1, 5000)
    assert not port_b_read(p, 5999) & 0x20
    assert port_b_read(p, 6000) & 0x20


def test_port_b_keeps_four_bits(p):
    port_b_write(p, 0xFE, 0)
    assert port_b_read(p, 0) & 0xCF == 0x0E


def test_refresh_toggles_every_15_microseconds():
    p = fresh(GHZ)
    levels = [port_b_read(p, now) >> 4 & 1 for now in range(0, 1_000_000, 1000)]
    assert sum(a != b for a, b in pairwise(levels)) == 66


# --- a counter that is really clocked


class Clocked:
    """The dumb model: counter 2, one CLK after the other, word for word from the mode definitions."""

    def __init__(self, mode):
        self.mode, self.gate, self.out = mode, False, mode != 0
        self.register = self.element = 0
        self.load = self.live = False

    def write(self, count):
        self.register = count
        if self.mode in (0, 4) or (self.mode in (2, 3) and not self.live):
            self.load = True
        if self.mode == 0:
            self.out = False

    def set_gate(self, level):
        rising, self.gate = level and not self.gate, level
        if self.mode in (2, 3) and not level:
            self.out = True
        if rising and self.register and self.mode in (1, 2, 3, 5):
            self.load = True

    def reload(self):
        self.odd = self.register & 1
        self.element = self.register - (self.register & 1 if self.mode == 3 else 0)

    def clock(self):
        if self.mode in (4, 5):
            self.out = True
        if self.load:
            self.load, self.live = False, True
            self.reload()
            self.out = self.mode not in (0, 1)
        elif self.live and (self.gate or self.mode in (1, 5)):
            getattr(self, f"count_{self.mode}")()

    def count_0(self):
        self.element = (self.element - 1) % 65536
        self.out |= self.element == 0

    count_1 = count_0

    def count_2(self):
        self.element -= 1
        if self.element == 0:
            self.reload()
        self.out = self.element != 1

    def count_3(self):
        odd_and_high = self.out and self.odd
        if self.element == 0 or (self.element == 2 and not odd_and_high):
            self.out = not self.out
            self.reload()
        else:
            self.element -= 2

    def count_4(self):
        self.element = (self.element - 1) % 65536
        self.out = self.element != 0

    count_5 = count_4


LAW = settings(deadline=None, derandomize=True)  # the first call may compile
COUNTS = st.integers(2, 12)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), COUNTS),
        st.tuples(st.just("gate"), st.booleans()),
        st.tuples(st.just("run"), st.integers(1, 30)),
    ),
    max_size=25,
)


@LAW
@given(st.integers(0, 5), COUNTS, ACTIONS)
def test_every_mode_looks_as_if_it_were_clocked(mode, first, actions):
    p, model, now = fresh(), Clocked(mode), 0
    write(p, CONTROL, 0x90 | mode << 1)
    for action, value in [("write", first), *actions, ("run", 40)]:
        if action == "write":
            write(p, 2, value, now)
            model.write(value)
        elif action == "gate":
            assume(not (mode == 4 and not model.out))  # GATE in a strobe: see the module
            set_gate(p, 2, value, now)
            model.set_gate(value)
        for _ in range(value if action == "run" else 0):
            now += 1
            model.clock()
            assert out(p, 2, now) == model.out
            if model.live:
                assert read(p, 2, now) == model.element & 0xFF


@LAW
@given(st.integers(2, 3), COUNTS, st.lists(st.tuples(st.integers(1, 40), COUNTS), max_size=8))
def test_every_deadline_is_a_rising_edge_and_every_rising_edge_has_one(mode, first, changes):
    p, now, before = fresh(), 0, True
    write(p, CONTROL, 0x10 | mode << 1)
    for wait, count in [(0, first), *changes, (50, 2)]:
        for _ in range(wait):
            now += 1
            after = bool(out(p, 0, now))
            assert expire(p, now) == (after and not before)
            before = after
        write(p, 0, count, now)
