"""The 16550A from the guest's side: registers by their offsets, as a driver writes them."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import uart16550
from mksim.hw.uart16550 import BREAK, UART, expire, line, outputs, set_modem

DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR = 0, 1, 2, 2, 3, 4, 5, 6, 7
OUT2, LOOP, DLAB = 0x08, 0x10, 0x80


def read(u, offset):
    return int(uart16550.read(u, offset, 0))


def write(u, offset, value, now=0):
    return int(uart16550.write(u, offset, value, now))


def receive(u, byte, now=0):
    return bool(uart16550.receive(u, byte, now))


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


# --- on a wire: characters take time

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
