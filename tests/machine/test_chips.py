"""What a reset reaches: all that is the kernel's, and of others' no more than they see of it."""

import numpy as np
import pytest

from mksim.engine.interrupts import HEAP
from mksim.hw import i8042, rtc, uart16550
from mksim.hw.uart16550 import UART
from mksim.machine.chips import reset_chips, share_lines
from mksim.machine.config import Uart
from mksim.machine.wiring import Wire, WireEnd
from tests.machine.guests import HALT, kernel, machine

COM1, COM2 = Uart(index=0, base=0x3F8, irq=4), Uart(index=1, base=0x2F8, irq=3)


@pytest.fixture
def wired():
    kernels = (
        kernel(0, HALT, serial=(COM1,), legacy=True, ioapic=0, vga=True),
        kernel(1, HALT, serial=(COM2,)),
    )
    return machine(HALT, HALT, kernels=kernels, wires=(Wire((WireEnd("k0", 0), WireEnd("k1", 1))),))


def reset(one, number, when=1000):
    reset_chips(one.board, one.layout, one.layout.kernels[number], when)


def test_chips_are_as_after_power_on(wired):
    plan = wired.layout
    board, fresh = wired.board, machine(HALT, HALT, kernels=plan.kernels, wires=plan.wires).board
    for name in ("pic", "pit", "hpet", "uarts", "ioapics", "pci", "vga"):
        getattr(board, name).view(np.uint8)[:] ^= 0x5A
    board.uarts["rate"], board.uarts["modem"] = fresh.uarts["rate"], fresh.uarts["modem"]
    board.uarts["mcr"] = 0
    board.memory[0xB8000] = ord("!")
    i8042.write(board.kernels[0]["keyboard"], 0, 0xFF)
    reset(wired, 0)
    for name in ("pic", "pit", "hpet", "ioapics", "pci", "vga"):
        assert getattr(board, name).tobytes() == getattr(fresh, name).tobytes()
    registers = [name for name in UART.names if name not in ("out", "fifo")]  # rings, empty now
    assert board.uarts[registers][0] == fresh.uarts[registers][0] != board.uarts[registers][1]
    assert i8042.read(board.kernels[0]["keyboard"], 4) == i8042.read(fresh.kernels[0]["keyboard"], 4)
    assert board.memory[0xB8000] == ord(" ")


def test_the_clock_goes_on_without_its_interrupts(wired):
    clock = wired.board.rtc[0]
    for index, value in ((0x0B, 0x72), (0x0F, 0x5A)):
        rtc.write(clock, 0, index, 0)
        rtc.write(clock, 1, value, 0)
    reset(wired, 0)
    rtc.write(clock, 0, 0x0B, 0)
    assert rtc.read(clock, 1, 0) == 0x02
    rtc.write(clock, 0, 0x0F, 0)
    assert rtc.read(clock, 1, 0) == 0x5A


def test_the_other_end_of_a_wire_sees_the_lines_drop(wired):
    board = wired.board
    uart16550.write(board.uarts[0], 4, 3, 0)
    uart16550.set_modem(board.uarts[1], 0xB0)
    reset(wired, 0, 1000)
    assert board.messages["count"] == 1
    message = board.message_heap[:HEAP][0]
    assert (message["when"], message["target"], message["vector"]) == (1000 + wired.layout.latency, 1, 0)


def test_another_kernels_reset_leaves_what_is_not_its_own(wired):
    before = {name: getattr(wired.board, name).tobytes() for name in ("pic", "pit", "hpet", "ioapics", "pci")}
    wired.board.memory[0xB8000] = ord("!")
    reset(wired, 1)
    assert {name: getattr(wired.board, name).tobytes() for name in before} == before
    assert wired.board.memory[0xB8000] == ord("!")


def test_uarts_of_a_kernel_that_share_an_interrupt_are_a_ring():
    wires = np.zeros(5, [("owner", "i2"), ("irq", "i2"), ("sharer", "i2")])
    wires["owner"], wires["irq"], wires["sharer"] = [0, 0, 1, 0, 0], [4, 3, 4, 4, -1], range(5)
    share_lines(wires)
    assert wires["sharer"].tolist() == [3, 1, 2, 0, 4]
