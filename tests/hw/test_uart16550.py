"""The 16550A by itself: registers, FIFOs and interrupts."""

import numpy as np
import pytest

from mksim.hw import uart16550
from mksim.hw.uart16550 import UART, line
from tests.hw.uart_guest import (
    DATA,
    DLAB,
    FCR,
    IER,
    IIR,
    LCR,
    LOOP,
    LSR,
    MCR,
    MSR,
    OUT2,
    SCR,
    read,
    receive,
    write,
)


@pytest.fixture
def u():
    record = np.zeros(1, UART)[0]
    uart16550.reset(record)
    return record


@pytest.fixture
def fifo(u):
    write(u, FCR, 0xC7)  # enable, clear both, trigger at 14
    write(u, MCR, OUT2)
    return u


def test_registers_after_reset(u):
    assert [read(u, offset) for offset in (IER, IIR, LCR, MCR, LSR, MSR, SCR)] == [0, 1, 0, 0, 0x60, 0xB0, 0]


def test_scratch_holds_a_byte(u):
    write(u, SCR, 0x1A5)
    assert read(u, SCR) == 0xA5


def test_ier_holds_only_its_four_bits(u):
    write(u, IER, 0xFF)
    assert read(u, IER) == 0x0F


def test_mcr_holds_only_its_five_bits(u):
    write(u, MCR, 0xFF)
    assert read(u, MCR) == 0x1F


def test_divisor_hides_data_and_ier(u):
    write(u, IER, 0x05)
    write(u, LCR, DLAB | 3)
    assert write(u, 0, 0x34) == -1
    write(u, 1, 0x12)
    assert (read(u, 0), read(u, 1), u["divisor"]) == (0x34, 0x12, 0x1234)
    write(u, LCR, 3)
    assert read(u, IER) == 0x05


def test_a_written_character_leaves_at_once(u):
    assert write(u, DATA, 0x141) == 0x41
    assert read(u, LSR) == 0x60


def test_status_registers_ignore_writes(u):
    write(u, LSR, 0xFF)
    write(u, MSR, 0xFF)
    assert (read(u, LSR), read(u, MSR)) == (0x60, 0xB0)


def test_iir_tells_a_16550a_by_its_fifo_bits(u):
    write(u, FCR, 0x01)
    assert read(u, IIR) == 0xC1
    write(u, FCR, 0x00)
    assert read(u, IIR) == 0x01


def test_autoconfig_sees_its_outputs_in_loopback(u):
    """What Linux asks before it believes in a UART: autoconfig() in 8250_port.c."""
    write(u, MCR, LOOP | 0x0A)
    assert read(u, MSR) & 0xF0 == 0x90


@pytest.mark.parametrize(("output", "seen"), [(0x01, 0x20), (0x02, 0x10), (0x04, 0x40), (0x08, 0x80)])
def test_loopback_wires_each_output_to_an_input(u, output, seen):
    write(u, MCR, LOOP | output)
    assert read(u, MSR) & 0xF0 == seen


def test_loopback_keeps_a_character_inside(u):
    write(u, MCR, LOOP)
    assert write(u, DATA, 0x55) == -1
    assert read(u, LSR) & 1
    assert read(u, DATA) == 0x55


def test_loopback_cuts_the_far_end(u):
    write(u, MCR, LOOP)
    assert not receive(u, 0x41)
    assert not read(u, LSR) & 1


def test_interrupts_are_operational_in_loopback(u):
    write(u, IER, 0x02)
    write(u, MCR, LOOP | OUT2)
    assert line(u)
    write(u, IER, 0x01)
    write(u, DATA, 0x55)
    assert read(u, IIR) == 0x04
    write(u, MCR, LOOP)
    assert not line(u)


def test_modem_deltas_show_once(u):
    write(u, MCR, LOOP | 0x0F)
    read(u, MSR)
    write(u, MCR, LOOP | 0x0D)  # RTS falls: CTS changes
    assert read(u, MSR) & 0x0F == 0x01
    assert read(u, MSR) & 0x0F == 0


def test_ring_counts_only_when_it_ends(u):
    write(u, MCR, LOOP)
    read(u, MSR)
    write(u, MCR, LOOP | 0x04)
    assert read(u, MSR) & 0x04 == 0
    write(u, MCR, LOOP)
    assert read(u, MSR) & 0x04


def test_modem_change_interrupts_until_it_is_read(u):
    write(u, IER, 0x08)
    write(u, MCR, LOOP)
    assert read(u, IIR) == 0x00
    read(u, MSR)
    assert read(u, IIR) == 0x01


def test_enabling_thre_interrupts_each_time(fifo):
    """Linux tells a UART with a broken transmitter interrupt by this: serial8250_do_startup()."""
    for _ in range(2):
        write(fifo, IER, 0x02)
        assert line(fifo)
        assert read(fifo, IIR) == 0xC2
        assert read(fifo, IIR) == 0xC1
        assert not line(fifo)
        write(fifo, IER, 0x00)


def test_thre_comes_back_after_each_character(fifo):
    write(fifo, IER, 0x02)
    read(fifo, IIR)
    write(fifo, DATA, 0x41)
    assert line(fifo)
    assert read(fifo, IIR) == 0xC2


def test_iir_of_another_source_leaves_thre_pending(fifo):
    write(fifo, IER, 0x03)
    receive(fifo, 0x41)
    assert read(fifo, IIR) == 0xCC
    read(fifo, DATA)
    assert read(fifo, IIR) == 0xC2


def test_out2_gates_the_interrupt(u):
    write(u, IER, 0x01)
    receive(u, 0x41)
    assert not line(u)
    write(u, MCR, OUT2)
    assert line(u)


def test_without_fifo_the_second_character_overruns_the_first(u):
    assert receive(u, 0x41)
    assert not receive(u, 0x42)
    assert read(u, LSR) == 0x63
    assert read(u, LSR) == 0x61
    assert read(u, DATA) == 0x42
    assert read(u, LSR) == 0x60


def test_a_full_fifo_loses_the_newest(fifo):
    assert all(receive(fifo, byte) for byte in range(16))
    assert not receive(fifo, 99)
    assert read(fifo, LSR) & 0x02
    assert [read(fifo, DATA) for _ in range(16)] == list(range(16))
    assert read(fifo, LSR) == 0x60


def test_overrun_interrupts_first(fifo):
    write(fifo, IER, 0x07)
    for byte in range(17):
        receive(fifo, byte)
    assert read(fifo, IIR) == 0xC6
    read(fifo, LSR)
    assert read(fifo, IIR) == 0xC4


@pytest.mark.parametrize(("fcr", "level"), [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)])
def test_trigger_level_parts_data_from_timeout(u, fcr, level):
    write(u, FCR, fcr)
    write(u, IER, 0x01)
    seen = []
    for byte in range(16):
        receive(u, byte)
        seen.append(read(u, IIR) & 0x0F)
    assert seen == [0x0C] * (level - 1) + [0x04] * (17 - level)


def test_receiver_interrupt_lasts_while_there_is_data(fifo):
    write(fifo, IER, 0x01)
    receive(fifo, 0x41)
    assert line(fifo)
    read(fifo, DATA)
    assert not line(fifo)


def test_fcr_clears_the_receiver(fifo):
    receive(fifo, 0x41)
    write(fifo, FCR, 0x03)
    assert read(fifo, LSR) == 0x60


def test_switching_the_fifos_empties_them(fifo):
    receive(fifo, 0x41)
    write(fifo, FCR, 0x00)
    assert read(fifo, LSR) == 0x60


def test_fcr_bits_need_the_enable_bit(u):
    write(u, FCR, 0xC0)
    assert read(u, IIR) == 0x01
    write(u, IER, 0x01)
    receive(u, 0x41)
    assert read(u, IIR) == 0x04
