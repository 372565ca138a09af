"""QEMU's educational device, as its specification has it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw import edu
from mksim.hw.edu import EDU

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
RATE, LATENCY = 1_000_000_000, 1000
BUFFER = 0x40000


def fresh():
    record = np.zeros(1, EDU)[0]
    edu.reset(record, RATE, LATENCY)
    return record


@pytest.fixture
def e():
    return fresh()


def read(e, offset, size=4):
    return int(edu.read(e, offset, size)) & (1 << 8 * size) - 1


def write(e, offset, value, size=4, now=0):
    return bool(edu.write(e, offset, size, value, now))


def test_it_says_who_it_is_and_lives(e):
    assert read(e, 0) == 0x010000ED
    write(e, 4, 0x12345678)
    assert read(e, 4) == 0xEDCBA987


@given(st.integers(0, 1 << 32 - 1))
@LAW
def test_factorials_are_modulo_32_bits(value):
    e = fresh()
    write(e, 8, value)
    assert read(e, 0x20) == 1
    assert edu.deadline(e) == LATENCY
    assert not edu.finish_factorial(e)
    assert read(e, 8) == math.factorial(min(value, 100)) % (1 << 32)
    assert read(e, 0x20) == 0
    assert edu.deadline(e) == NEVER


def test_a_factorial_interrupts_if_asked_to(e):
    write(e, 0x20, 0xFF)
    assert read(e, 0x20) == 0x80
    write(e, 8, 5)
    write(e, 8, 6)  # it is busy
    assert edu.finish_factorial(e)
    assert (read(e, 8), read(e, 0x24)) == (120, 1)
    write(e, 0x64, 1)
    assert not edu.line(e)


def test_interrupts_are_raised_and_acknowledged_by_bits(e):
    assert write(e, 0x60, 0x11)
    assert write(e, 0x60, 0x02)
    assert (read(e, 0x24), edu.line(e)) == (0x13, True)
    write(e, 0x64, 0x12)
    assert read(e, 0x24) == 0x01


def test_dma_registers_are_wide_and_may_be_written_in_halves(e):
    write(e, 0x80, 0x123456789ABCDEF0, 8)
    assert read(e, 0x80, 8) == 0x123456789ABCDEF0
    assert (read(e, 0x80), read(e, 0x84)) == (0x9ABCDEF0, 0x12345678)
    write(e, 0x88, 0x1000)
    write(e, 0x8C, 0x2)
    assert read(e, 0x88, 8) == 0x200001000


def start(e, source, destination, count, command):
    for offset, value in zip((0x80, 0x88, 0x90, 0x98), (source, destination, count, command), strict=True):
        write(e, offset, value, 8)


def test_dma_takes_its_time_and_then_interrupts(e):
    start(e, 0x123000, BUFFER + 16, 64, 0x05)
    assert edu.deadline(e) == 2064
    write(e, 0x80, 0x666, 8)  # it runs
    assert (edu.in_memory(e), edu.in_buffer(e), edu.to_memory(e)) == (0x123000, 16, False)
    assert read(e, 0x98) == 5
    assert edu.finish_dma(e)
    assert (read(e, 0x98), read(e, 0x24)) == (4, 0x100)


def test_dma_reaches_28_bits(e):
    start(e, BUFFER, 0x30000010, 4, 0x03)
    assert (edu.in_memory(e), edu.in_buffer(e), edu.to_memory(e)) == (0x10, 0, True)
    assert not edu.finish_dma(e)


numbers = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(BUFFER - 2, BUFFER + 4099))


@given(numbers, numbers, st.one_of(numbers, st.integers(-1, 4100)), st.integers(0, 7))
@LAW
def test_dma_never_leaves_its_buffer(source, destination, count, command):
    e = fresh()
    start(e, source, destination, count, command)
    at = int(edu.in_buffer(e))
    assert at == -1 or (at >= 0 and 0 < count <= 4096 - at)


STRANGE = [(0, 1), (4, 8), (0x80, 2), (0x61, 4), (0x40000, 4), (0xFFFFC, 4)]


@pytest.mark.parametrize(("offset", "size"), STRANGE)
def test_other_accesses_read_as_ones_and_do_nothing(e, offset, size):
    before = e.tobytes()
    write(e, offset, 0x77, size)
    assert read(e, offset, size) == (1 << 8 * size) - 1
    assert e.tobytes() == before
