"""The keyboard controller, and a keyboard that only answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import i8042
from mksim.hw.i8042 import I8042, line

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
DATA, CONTROL = 0, 4


def fresh():
    record = np.zeros(1, I8042)[0]
    i8042.reset(record)
    return record


@pytest.fixture
def k():
    return fresh()


def status(k):
    return int(i8042.read(k, CONTROL))


def taken(k):
    """Return all bytes that wait."""
    found = []
    while status(k) & 1:
        found.append(int(i8042.read(k, DATA)))
    return found


def command(k, value, *data):
    assert not i8042.write(k, CONTROL, value)
    for byte in data:
        assert not i8042.write(k, DATA, byte)
    return taken(k)


def keyboard(k, *data):
    for byte in data:
        assert not i8042.write(k, DATA, byte)
    return taken(k)


def test_nothing_waits_and_nothing_is_held_up_at_first(k):
    assert status(k) == 0x14
    assert not line(k)


def test_self_tests_pass(k):
    assert command(k, 0xAA) == [0x55]
    assert command(k, 0xAB) == [0x00]


def test_the_command_byte_reads_back(k):
    assert command(k, 0x20) == [0x45]
    assert command(k, 0x60, 0x44) == []
    assert command(k, 0x20) == [0x44]
    assert command(k, 0x2F) == [0x00]


def test_disabling_shows_in_the_command_byte_until_data_is_sent(k):
    command(k, 0xAD)
    assert command(k, 0x20) == [0x55]
    keyboard(k, 0xF4)
    assert command(k, 0x20) == [0x45]


def test_the_auxiliary_device_does_not_answer(k):
    for value in (0xA7, 0xA8, 0xA9):
        assert command(k, value) == []


@pytest.mark.parametrize("value", [0xFE, 0xF0, 0xF2])
def test_a_pulse_on_the_lowest_line_resets(k, value):
    assert i8042.write(k, CONTROL, value)


def test_other_pulses_do_not(k):
    assert not i8042.write(k, CONTROL, 0xFF)
    assert not i8042.write(k, CONTROL, 0xFD)


def test_the_output_port_resets_by_its_lowest_bit(k):
    assert command(k, 0xD0) == [0x03]
    i8042.write(k, CONTROL, 0xD1)
    assert not i8042.write(k, DATA, 0xDF)  # A20 on, as boot loaders do
    i8042.write(k, CONTROL, 0xD1)
    assert i8042.write(k, DATA, 0xDE)


def test_the_keyboard_answers_its_commands(k):
    assert keyboard(k, 0xFF) == [0xFA, 0xAA]
    assert keyboard(k, 0xEE) == [0xEE]
    assert keyboard(k, 0xF4) == [0xFA]
    assert keyboard(k, 0xED, 0x07) == [0xFA, 0xFA]
    assert keyboard(k, 0xF3, 0x20) == [0xFA, 0xFA]
    assert keyboard(k, 0xF0, 0x00) == [0xFA, 0xFA, 0x02]
    assert keyboard(k, 0xFE) == [0x02]
    assert keyboard(k, 0x12) == [0xFE]


def test_its_identity_is_translated_like_a_scan_code(k):
    assert keyboard(k, 0xF2) == [0xFA, 0xAB, 0x41]
    command(k, 0x60, 0x05)
    assert keyboard(k, 0xF2) == [0xFA, 0xAB, 0x83]


def test_a_byte_interrupts_if_the_command_byte_says_so(k):
    i8042.write(k, DATA, 0xF4)
    assert line(k)
    taken(k)
    assert not line(k)
    command(k, 0x60, 0x44)
    i8042.write(k, DATA, 0xF4)
    assert not line(k)


def test_a_byte_can_be_put_back(k):
    assert command(k, 0xD2, 0x1E) == [0x1E]


@LAW
@given(st.lists(st.tuples(st.sampled_from([0, 4]), st.booleans(), st.integers(-1, 300)), max_size=80))
def test_any_accesses_leave_a_controller_that_answers(accesses):
    k = fresh()
    for offset, writes, value in accesses:
        if writes:
            i8042.write(k, offset, value)
        else:
            assert 0 <= i8042.read(k, offset) <= 255
        assert 0 <= k["count"] <= len(k["queue"])
