"""The 8259A pair from the guest's side, set up as a PC's firmware does."""

import numpy as np
import pytest

from mksim.hw import pic8259
from mksim.hw.pic8259 import PIC, acknowledge, output, set_line, write_elcr

MASTER, SLAVE = 0, 1
BASE = (0x20, 0x28)
EOI = 0x20


def command(p, chip, value):
    pic8259.write(p, chip, 0, value)


def data(p, chip, value):
    pic8259.write(p, chip, 1, value)


def read(p, chip, a0):
    return int(pic8259.read(p, chip, a0))


def initialise(p, icw4=0x01, icw1=0x11):
    for chip, wiring in ((MASTER, 0x04), (SLAVE, 0x02)):
        command(p, chip, icw1)
        for value in (BASE[chip], wiring, icw4):
            data(p, chip, value)


def in_service(p, chip):
    command(p, chip, 0x0B)
    return read(p, chip, 0)


def requested(p, chip):
    command(p, chip, 0x0A)
    return read(p, chip, 0)


@pytest.fixture
def p():
    record = np.zeros(1, PIC)[0]
    pic8259.reset(record)
    initialise(record)
    return record


def test_nothing_comes_through_before_initialisation():
    p = np.zeros(1, PIC)[0]
    pic8259.reset(p)
    for irq in range(16):
        set_line(p, irq, 1)
    assert not output(p)


def test_initialisation_unmasks_and_then_ocw1_masks(p):
    assert read(p, MASTER, 1) == 0
    data(p, MASTER, 0xFB)
    assert read(p, MASTER, 1) == 0xFB


def test_icw4_is_due_only_if_icw1_says_so(p):
    command(p, MASTER, 0x10)
    for value in (BASE[MASTER], 0x04, 0xAA):
        data(p, MASTER, value)
    assert read(p, MASTER, 1) == 0xAA


def test_a_single_chip_skips_icw3(p):
    command(p, MASTER, 0x13)
    for value in (BASE[MASTER], 0x01, 0x55):
        data(p, MASTER, value)
    assert read(p, MASTER, 1) == 0x55


@pytest.mark.parametrize("irq", [irq for irq in range(16) if irq != 2])
def test_each_line_has_its_vector(p, irq):
    set_line(p, irq, 1)
    assert output(p)
    assert acknowledge(p) == 0x20 + irq
    assert not output(p)


def test_irq_2_is_the_slaves(p):
    set_line(p, 2, 1)
    assert not output(p)


def test_a_slave_interrupt_is_in_service_on_both(p):
    set_line(p, 12, 1)
    acknowledge(p)
    assert (in_service(p, MASTER), in_service(p, SLAVE)) == (0x04, 0x10)


def test_an_edge_interrupts_once(p):
    set_line(p, 4, 1)
    acknowledge(p)
    command(p, MASTER, EOI)
    assert not output(p)
    set_line(p, 4, 0)
    set_line(p, 4, 1)
    assert output(p)


def test_a_level_interrupts_until_it_falls(p):
    write_elcr(p, SLAVE, 0x08)
    set_line(p, 11, 1)
    acknowledge(p)
    command(p, SLAVE, EOI)
    command(p, MASTER, EOI)
    assert output(p)
    set_line(p, 11, 0)
    assert not output(p)


def test_elcr_keeps_the_edge_lines_of_a_pc(p):
    write_elcr(p, MASTER, 0xFF)
    write_elcr(p, SLAVE, 0xFF)
    assert (pic8259.read_elcr(p, MASTER), pic8259.read_elcr(p, SLAVE)) == (0xF8, 0xDE)


def test_ltim_makes_all_lines_level_triggered(p):
    set_line(p, 1, 1)
    initialise(p, icw1=0x19)
    assert acknowledge(p) == 0x21
    command(p, MASTER, EOI)
    assert output(p)


def test_initialisation_forgets_edges(p):
    set_line(p, 1, 1)
    initialise(p)
    assert not output(p)


def test_lower_priorities_wait(p):
    set_line(p, 3, 1)
    acknowledge(p)
    set_line(p, 4, 1)
    assert not output(p)
    set_line(p, 1, 1)
    assert acknowledge(p) == 0x21
    command(p, MASTER, EOI)
    command(p, MASTER, EOI)
    assert acknowledge(p) == 0x24


def test_a_masked_line_waits(p):
    data(p, MASTER, 0x10)
    set_line(p, 4, 1)
    assert not output(p)
    assert requested(p, MASTER) == 0x10
    data(p, MASTER, 0x00)
    assert output(p)


def test_a_request_withdrawn_is_a_spurious_7(p):
    set_line(p, 4, 1)
    set_line(p, 4, 0)
    assert acknowledge(p) == 0x27
    assert in_service(p, MASTER) == 0


def test_a_slave_without_request_is_a_spurious_15_with_the_cascade_in_service(p):
    write_elcr(p, MASTER, 0)
    set_line(p, 12, 1)
    p["irr"][SLAVE] = 0  # withdrawn between the two INTA cycles
    assert acknowledge(p) == 0x2F
    assert (in_service(p, MASTER), in_service(p, SLAVE)) == (0x04, 0)


def test_specific_eoi_ends_that_level(p):
    set_line(p, 5, 1)
    acknowledge(p)
    set_line(p, 1, 1)
    acknowledge(p)
    command(p, MASTER, 0x65)
    assert in_service(p, MASTER) == 0x02


def test_nonspecific_eoi_ends_the_highest(p):
    set_line(p, 5, 1)
    acknowledge(p)
    set_line(p, 1, 1)
    acknowledge(p)
    command(p, MASTER, EOI)
    assert in_service(p, MASTER) == 0x20


def test_automatic_eoi_leaves_nothing_in_service(p):
    initialise(p, icw4=0x03)
    set_line(p, 9, 1)
    set_line(p, 10, 1)
    assert [acknowledge(p), acknowledge(p)] == [0x29, 0x2A]
    assert (in_service(p, MASTER), in_service(p, SLAVE)) == (0, 0)


def test_rotation_on_eoi_makes_the_served_the_last(p):
    set_line(p, 0, 1)
    acknowledge(p)
    command(p, MASTER, 0xA0)
    set_line(p, 0, 0)
    set_line(p, 0, 1)
    set_line(p, 7, 1)
    assert acknowledge(p) == 0x27


def test_rotation_in_automatic_eoi_mode(p):
    initialise(p, icw4=0x03)
    command(p, MASTER, 0x80)
    for level in (0, 1):
        set_line(p, 3, level)
    acknowledge(p)
    for irq in (3, 4):
        set_line(p, irq, 0)
        set_line(p, irq, 1)
    assert acknowledge(p) == 0x24
    command(p, MASTER, 0x00)
    assert p["rotate"][MASTER] == 0


def test_set_priority_names_the_lowest(p):
    command(p, MASTER, 0xC4)
    set_line(p, 4, 1)
    set_line(p, 5, 1)
    assert acknowledge(p) == 0x25


def test_specific_rotation_ends_and_lowers(p):
    set_line(p, 1, 1)
    acknowledge(p)
    command(p, MASTER, 0xE1)
    assert in_service(p, MASTER) == 0
    assert p["lowest"][MASTER] == 1


def test_special_mask_mode_lets_lower_levels_through(p):
    set_line(p, 3, 1)
    acknowledge(p)
    set_line(p, 6, 1)
    data(p, MASTER, 0x08)
    assert not output(p)
    command(p, MASTER, 0x68)
    assert output(p)
    command(p, MASTER, EOI)
    assert in_service(p, MASTER) == 0x08  # "will not be cleared by a non-specific EOI"
    command(p, MASTER, 0x48)
    assert not output(p)


def test_special_fully_nested_mode_lets_the_slave_nest(p):
    for expected, icw4 in ((False, 0x01), (True, 0x11)):
        initialise(p, icw4)
        set_line(p, 12, 0)
        set_line(p, 8, 0)
        set_line(p, 12, 1)
        acknowledge(p)
        set_line(p, 8, 1)
        assert output(p) == expected


def test_polling_acknowledges(p):
    set_line(p, 5, 1)
    command(p, MASTER, 0x0C)
    assert read(p, MASTER, 0) == 0x85
    assert in_service(p, MASTER) == 0x20


def test_polling_a_quiet_chip_gives_no_pending_bit(p):
    command(p, SLAVE, 0x0C)
    assert read(p, SLAVE, 0) & 0x80 == 0


def test_polling_goes_down_the_cascade(p):
    set_line(p, 14, 1)
    command(p, MASTER, 0x0C)
    assert read(p, MASTER, 0) == 0x82
    command(p, SLAVE, 0x0C)
    assert read(p, SLAVE, 0) == 0x86
    assert not output(p)


def test_linux_probes_the_chip_by_its_mask():
    """probe_8259A() in arch/x86/kernel/i8259.c"""
    p = np.zeros(1, PIC)[0]
    pic8259.reset(p)
    data(p, SLAVE, 0xFF)
    data(p, MASTER, 0xFB)
    assert read(p, MASTER, 1) == 0xFB
