"""The 16550A on a wire: characters take time."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import uart16550
from mksim.hw.uart16550 import BREAK, UART, expire, line, outputs, set_modem
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
    read,
    receive,
    write,
)

RATE = 1_000_000_000
CHARACTER = 86_805  # cycles of 10 bits at 115200 baud


@pytest.fixture
def wired():
    record = np.zeros(1, UART)[0]
    uart16550.reset(record, RATE, 0)
    write(record, LCR, DLAB | 3)
    write(record, DATA, 1)
    write(record, IER, 0)
    write(record, LCR, 3)
    write(record, FCR, 0x47)  # trigger at 4
    write(record, MCR, OUT2)
    return record


def due(u):
    """Let the next thing happen; return when it did, and what left."""
    now = int(u["deadline"])
    return now, int(expire(u, now))


@pytest.mark.parametrize(
    ("lcr", "divisor", "cycles"),
    [
        (0x03, 1, 86_805),  # 8N1: 10 bits
        (0x00, 1, 60_763),  # 5N1: 7
        (0x04, 1, 65_104),  # 5 bits, 1.5 stop bits: 7.5
        (0x0F, 1, 104_166),  # 8 bits, parity, 2 stop bits: 12
        (0x03, 12, 1_041_666),  # 9600 baud
        (0x03, 0, 5_688_888_888),
    ],
)
def test_a_character_takes_its_bits_at_the_baud_rate(wired, lcr, divisor, cycles):
    write(wired, LCR, DLAB)
    write(wired, DATA, divisor)
    write(wired, LCR, lcr)
    assert write(wired, DATA, 0x15, 1000) == -1
    assert due(wired) == (1000 + cycles, 0x15)
    assert wired["deadline"] == NEVER


def test_a_word_of_five_bits_has_no_more(wired):
    write(wired, LCR, 0)
    write(wired, DATA, 0xFF)
    assert due(wired)[1] == 0x1F


def test_the_transmitter_is_empty_when_its_fifo_is_and_idle_when_the_last_has_left(wired):
    write(wired, DATA, 1)
    assert read(wired, LSR) == 0x20  # in the shift register
    write(wired, DATA, 2)
    assert read(wired, LSR) == 0x00
    assert due(wired) == (CHARACTER, 1)
    assert read(wired, LSR) == 0x20
    assert due(wired) == (2 * CHARACTER, 2)
    assert read(wired, LSR) == 0x60


def test_thre_interrupts_when_the_last_character_leaves_the_fifo(wired):
    write(wired, IER, 0x02)
    read(wired, IIR)
    for byte in range(3):
        write(wired, DATA, byte)
    assert not line(wired)
    due(wired)
    assert not line(wired)
    due(wired)
    assert line(wired)
    assert read(wired, IIR) == 0xC2
    assert not line(wired)


def test_seventeen_characters_go_out_back_to_back_and_the_eighteenth_is_lost(wired):
    for byte in range(18):
        write(wired, DATA, byte)
    assert [due(wired) for _ in range(17)] == [((byte + 1) * CHARACTER, byte) for byte in range(17)]
    assert wired["deadline"] == NEVER


def test_without_fifo_the_holding_register_is_overwritten(wired):
    write(wired, FCR, 0)
    for byte in (1, 2, 3):
        write(wired, DATA, byte)
    assert [due(wired)[1] for _ in range(2)] == [1, 3]


def test_clearing_the_transmitter_spares_what_is_being_sent(wired):
    for byte in (1, 2, 3):
        write(wired, DATA, byte)
    write(wired, FCR, 0x05)
    assert due(wired)[1] == 1
    assert wired["deadline"] == NEVER


def test_characters_below_the_trigger_level_interrupt_after_four_silent_ones(wired):
    write(wired, IER, 0x01)
    receive(wired, 0x41, 1000)
    assert not line(wired)
    assert due(wired) == (1000 + 4 * CHARACTER, -1)
    assert read(wired, IIR) == 0xCC


def test_a_character_restarts_the_timeout_and_reading_ends_it(wired):
    write(wired, IER, 0x01)
    receive(wired, 0x41, 0)
    receive(wired, 0x42, 50_000)
    assert wired["deadline"] == 50_000 + 4 * CHARACTER
    due(wired)
    uart16550.read(wired, DATA, 500_000)
    assert not line(wired)
    assert wired["deadline"] == 500_000 + 4 * CHARACTER
    uart16550.read(wired, DATA, 600_000)
    assert wired["deadline"] == NEVER


def test_loopback_takes_time_too(wired):
    write(wired, MCR, LOOP)
    write(wired, DATA, 0x55)
    assert not read(wired, LSR) & 1
    assert due(wired)[1] == -1
    assert read(wired, DATA) == 0x55


def test_a_break_is_sent_once_it_has_lasted(wired):
    write(wired, LCR, 0x43, 100)
    assert due(wired) == (100 + CHARACTER, BREAK)
    write(wired, LCR, 0x03, 200_000)
    write(wired, LCR, 0x43, 200_000)
    write(wired, LCR, 0x03, 200_010)
    assert wired["deadline"] == NEVER


def test_a_break_is_a_zero_with_errors_that_show_when_it_is_the_oldest(wired):
    write(wired, IER, 0x05)
    receive(wired, 0x41)
    receive(wired, BREAK)
    assert read(wired, LSR) == 0xE1  # an error somewhere in the FIFO
    assert not line(wired)
    read(wired, DATA)
    assert read(wired, IIR) == 0xC6
    assert read(wired, LSR) == 0xF9
    assert read(wired, LSR) == 0x61
    assert read(wired, DATA) == 0


def test_loopback_hides_the_outputs_from_the_far_end(wired):
    write(wired, MCR, 0x0B)
    assert outputs(wired) == 0x03
    write(wired, MCR, LOOP | 0x0B)
    assert outputs(wired) == 0


def test_the_far_end_moves_the_modem_lines(wired):
    write(wired, IER, 0x08)
    set_modem(wired, 0x30)
    assert line(wired)
    assert read(wired, IIR) == 0xC0
    assert read(wired, MSR) == 0x33
    assert not line(wired)
    set_modem(wired, 0x30)
    assert read(wired, MSR) == 0x30
