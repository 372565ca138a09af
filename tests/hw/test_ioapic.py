"""The I/O APIC from the guest's side: index, window, EOI."""

import numpy as np
import pytest

from mksim.hw import ioapic
from mksim.hw.ioapic import IOAPIC, eoi, set_line, take

LEVEL, MASKED, LOW_ACTIVE, REMOTE_IRR = 1 << 15, 1 << 16, 1 << 13, 1 << 14


@pytest.fixture
def i():
    record = np.zeros(1, IOAPIC)[0]
    ioapic.reset(record, 5)
    return record


def read(i, index):
    ioapic.write(i, 0x00, index)
    return int(ioapic.read(i, 0x10))


def write(i, index, value):
    ioapic.write(i, 0x00, index)
    ioapic.write(i, 0x10, value)


def route(i, pin, low, destination=0):
    write(i, 0x11 + 2 * pin, destination << 24)
    write(i, 0x10 + 2 * pin, low)


def test_identity_version_and_arbitration(i):
    assert (read(i, 0), read(i, 1), read(i, 2)) == (5 << 24, 0x170020, 5 << 24)
    write(i, 0, 0xFF000000)
    assert read(i, 0) == 0x0F000000


def test_version_is_read_only(i):
    write(i, 1, 0xFFFFFFFF)
    assert read(i, 1) == 0x170020


def test_the_index_register_reads_back(i):
    ioapic.write(i, 0x00, 0x1FF)
    assert ioapic.read(i, 0x00) == 0xFF


def test_all_pins_are_masked_after_reset(i):
    assert [read(i, 0x10 + 2 * pin) for pin in range(24)] == [MASKED] * 24


def test_an_entry_keeps_all_but_reserved_and_status_bits(i):
    route(i, 3, 0xFFFFFFFF, 0xFF)
    assert read(i, 0x16) == 0x1AFFF
    assert read(i, 0x17) == 0xFF000000
    assert int(i["redirection"][3]) == 0xFF0000000001AFFF


@pytest.mark.parametrize("index", [0x03, 0x0F, 0x40, 0xFF])
def test_indices_without_a_register_read_as_zero(i, index):
    write(i, index, 0xFFFFFFFF)
    assert read(i, index) == 0


@pytest.mark.parametrize("offset", [0x04, 0x20, 0x40, 0xFFC])
def test_offsets_without_a_register_read_as_zero(i, offset):
    assert ioapic.read(i, offset) == 0


def test_an_edge_is_one_message(i):
    route(i, 4, 0x31)
    set_line(i, 4, 1)
    assert [take(i), take(i)] == [4, -1]
    set_line(i, 4, 1)
    assert take(i) == -1
    set_line(i, 4, 0)
    set_line(i, 4, 1)
    assert take(i) == 4


def test_an_edge_is_remembered_when_the_line_falls(i):
    route(i, 4, 0x31)
    set_line(i, 4, 1)
    set_line(i, 4, 0)
    assert take(i) == 4


def test_an_edge_on_a_masked_pin_is_lost(i):
    set_line(i, 4, 1)
    route(i, 4, 0x31)
    assert take(i) == -1


def test_a_level_on_a_masked_pin_waits(i):
    route(i, 9, 0x39 | LEVEL | MASKED)
    set_line(i, 9, 1)
    assert take(i) == -1
    route(i, 9, 0x39 | LEVEL)
    assert take(i) == 9


def test_a_level_waits_for_its_eoi(i):
    route(i, 9, 0x39 | LEVEL)
    set_line(i, 9, 1)
    assert [take(i), take(i)] == [9, -1]
    assert read(i, 0x22) & REMOTE_IRR
    assert eoi(i, 0x39)
    assert take(i) == 9
    set_line(i, 9, 0)
    assert eoi(i, 0x39)
    assert take(i) == -1
    assert not read(i, 0x22) & REMOTE_IRR


def test_eoi_of_another_vector_changes_nothing(i):
    route(i, 9, 0x39 | LEVEL)
    set_line(i, 9, 1)
    take(i)
    assert not eoi(i, 0x3A)
    assert take(i) == -1


def test_eoi_reaches_all_pins_of_its_vector(i):
    for pin in (9, 10):
        route(i, pin, 0x39 | LEVEL)
        set_line(i, pin, 1)
    assert [take(i), take(i), take(i)] == [9, 10, -1]
    ioapic.write(i, 0x40, 0x39)
    assert [take(i), take(i), take(i)] == [9, 10, -1]


def test_status_bits_cannot_be_written(i):
    route(i, 9, 0x39 | LEVEL)
    set_line(i, 9, 1)
    take(i)
    route(i, 9, 0x39 | LEVEL)
    assert read(i, 0x22) & REMOTE_IRR
    route(i, 8, 0x38 | LEVEL | REMOTE_IRR)
    assert not read(i, 0x20) & REMOTE_IRR


def test_linux_ends_a_level_by_making_it_an_edge(i):
    """__eoi_ioapic_pin() on parts without an EOI register."""
    route(i, 9, 0x39 | LEVEL)
    set_line(i, 9, 1)
    take(i)
    route(i, 9, 0x39 | MASKED)
    route(i, 9, 0x39 | LEVEL)
    assert take(i) == 9


def test_becoming_level_triggered_drops_an_edge(i):
    route(i, 4, 0x31)
    set_line(i, 4, 1)
    set_line(i, 4, 0)
    route(i, 4, 0x31 | LEVEL)
    route(i, 4, 0x31)
    assert take(i) == -1


@pytest.mark.parametrize("mode", [2, 4, 5, 7])
def test_smi_nmi_init_and_extint_are_edges_even_if_programmed_as_levels(i, mode):
    route(i, 0, mode << 8 | LEVEL)
    set_line(i, 0, 1)
    assert [take(i), take(i)] == [0, -1]
    assert not read(i, 0x10) & REMOTE_IRR


def test_polarity_does_not_invert_a_logical_line(i):
    route(i, 9, 0x39 | LEVEL | LOW_ACTIVE)
    assert take(i) == -1
    set_line(i, 9, 1)
    assert take(i) == 9


def test_the_lowest_ready_pin_goes_first(i):
    for pin in (20, 3, 7):
        route(i, pin, 0x30 + pin)
        set_line(i, pin, 1)
    assert [take(i) for _ in range(4)] == [3, 7, 20, -1]
