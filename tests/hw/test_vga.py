"""The VGA's registers from the guest's side: offsets from port 0x3c0."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import vga
from mksim.hw.vga import VGA, cursor, start

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
AR, AR_DATA, SR, GR, CR, STATUS, MISC = 0x00, 0x01, 0x04, 0x0E, 0x14, 0x1A, 0x0C
DAC_READ, DAC_WRITE, DAC_DATA = 0x07, 0x08, 0x09
SECOND = 1_000_000_000


@pytest.fixture
def v():
    return fresh()


def fresh():
    record = np.zeros(1, VGA)[0]
    vga.reset(record, SECOND)
    return record


def read(v, offset, now=0):
    return int(vga.read(v, offset, now))


def indexed(v, index_port, index, value=None):
    vga.write(v, index_port, index)
    if value is not None:
        vga.write(v, index_port + 1, value)
    return read(v, index_port + 1)


def test_mode_3_is_set(v):
    assert read(v, MISC) & 1  # colour
    assert indexed(v, CR, 0x01) == 79
    assert indexed(v, CR, 0x09) & 0x1F == 15
    assert indexed(v, GR, 0x06) & 0x0C == 0x0C  # 0xb8000
    assert (start(v), cursor(v)) == (0, 0)


@pytest.mark.parametrize("port", [SR, GR, CR])
def test_indexed_registers_read_back(v, port):
    assert indexed(v, port, 0x02, 0x5A) == (0x5A if port != CR else 0x50)  # CR00 to CR07 are protected
    assert read(v, port) == 0x02


def test_the_cursor_and_the_start_are_two_registers_each(v):
    for index, value in ((0x0C, 0x01), (0x0D, 0x40), (0x0E, 0x03), (0x0F, 0xE7)):
        indexed(v, CR, index, value)
    assert (start(v), cursor(v)) == (0x140, 999)


def test_protection_spares_line_compare(v):
    assert indexed(v, CR, 0x07, 0x00) == 0x0F
    indexed(v, CR, 0x11, 0x0E)
    assert indexed(v, CR, 0x07, 0x55) == 0x55


def test_attribute_index_and_data_take_turns_until_status_is_read(v):
    vga.write(v, AR, 0x10)
    vga.write(v, AR, 0x0D)
    vga.write(v, AR, 0x30)
    assert (read(v, AR), read(v, AR_DATA)) == (0x30, 0x0D)
    read(v, STATUS)
    vga.write(v, AR, 0x01)
    assert read(v, AR_DATA) == 0x01


def test_the_palette_counts_through_its_parts(v):
    vga.write(v, DAC_WRITE, 5)
    for part in (1, 2, 3, 4):
        vga.write(v, DAC_DATA, part)
    assert read(v, DAC_WRITE) == 6
    vga.write(v, DAC_READ, 5)
    assert [read(v, DAC_DATA) for _ in range(4)] == [1, 2, 3, 4]
    assert read(v, DAC_READ) == 3


def test_a_vertical_retrace_comes_seventy_times_a_second(v):
    looks = [read(v, STATUS, now) for now in range(0, SECOND, 20_000)]
    rises = sum(not before & 8 and bool(after & 8) for before, after in pairwise(looks))
    assert rises == 70
    assert all(look & 1 for look in looks if look & 8)


@LAW
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 31), st.integers(-5, 1 << 33)), max_size=60))
def test_any_accesses_leave_registers_of_eight_bits(accesses):
    v = fresh()
    for writes, offset, value in accesses:
        if writes:
            vga.write(v, offset, value)
        else:
            assert 0 <= read(v, offset, abs(value)) <= 255
        assert 0 <= start(v) <= 0xFFFF
