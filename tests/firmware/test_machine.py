"""The whole ROM on the whole machine: from the reset vector on, with real mode and interrupt controllers."""

from dataclasses import replace

import numpy as np

from mksim.boot.partition import partition_table
from mksim.engine.records import CONSOLE_BYTE
from mksim.fabric.ownership import FIRMWARE
from mksim.machine.config import Ending, Layout
from mksim.machine.kernel import State
from mksim.machine.machine import Machine
from mksim.spec import apic, memmap
from tests.firmware import reading
from tests.firmware.bare import enter
from tests.firmware.layouts import two_kernels

SECOND = 1_000_000_000
LINT0, LINT1 = ((pin - apic.LVT_TIMER) >> 4 for pin in (apic.LVT_LINT0, apic.LVT_LINT1))
EXTINT, NMI = 7 << 8, 4 << 8
X2APIC_MODE = 1 << 10
UD2 = b"\x0f\x0b"
"""Without an IDT: a triple fault."""
NOISY_ONCE = bytes.fromhex(
    "f6 05 00 00 58 00 01  74 02  f4 f4"  # test byte [0x580000], 1; jz +2; hlt
    "c6 05 00 00 58 00 01"  # mov byte [0x580000], 1: the next life remembers
    "30 c0  e6 21"  # the master 8259 unmasked
    "c7 05 00 00 c0 fe 10 00 00 00"  # pin 0 of the I/O APIC
    "c7 05 10 00 c0 fe 30 00 00 00"  # unmasked, vector 0x30
    "0f 0b"
)
"""The first life leaves its interrupt controllers switched on and dies; the second one halts."""


class Board:
    """A machine that has run until everybody sleeps, and what the firmware said meanwhile."""

    def __init__(self, layout: Layout, table: bytes | None = None) -> None:
        self.layout = layout
        self.machine = Machine(layout)
        self.said = bytearray()
        self.machine.consoles.append(self._hear)
        if table is not None:
            self.machine.board.memory[memmap.PARTITION_TABLE :][: len(table)] = np.frombuffer(table, np.uint8)
        self.machine.run(until=SECOND)
        self.machine.digest()  # settles every core's registers

    def _hear(self, written: np.ndarray) -> None:
        assert written.dtype == CONSOLE_BYTE
        self.said += written["byte"].tobytes()

    def core(self, index: int) -> np.void:
        return self.machine.board.cores[index]

    def states(self) -> list[State]:
        return [life.state for life in self.machine.lives]


def with_apic_ids(*apic_ids: int) -> Layout:
    return replace(two_kernels(), apic_ids=apic_ids)


def test_every_kernel_gets_what_the_bare_cpu_got() -> None:
    layout = two_kernels()
    board = Board(layout)
    assert board.said == b""
    for kernel in layout.kernels:
        core = board.core(kernel.boot_core)
        assert core["owner"] == kernel.id
        assert core["env"]["eip"] == kernel.entry + 1, "it stands behind its HLT"
        apic_id = layout.apic_ids[kernel.boot_core]
        bare = enter(partition_table(layout), apic_id, memory=np.zeros(layout.memory, np.uint8))
        assert core["env"]["regs"][3] == bare.registers["EBX"]
        area = slice(kernel.tables.base, kernel.tables.end)
        assert np.array_equal(board.machine.board.memory[area], bare.memory[area])


def test_the_firmware_crosses_nothing() -> None:
    assert Board(two_kernels()).machine.ledger.violations == 0


def test_interrupt_pins_are_the_legacy_owners() -> None:
    board = Board(two_kernels())
    rich, poor = (board.core(kernel.boot_core)["lapic"] for kernel in board.layout.kernels)
    assert rich["svr"] & poor["svr"] & apic.SVR_ENABLE
    assert (rich["lvt"][LINT0], rich["lvt"][LINT1]) == (EXTINT, NMI)
    assert (poor["lvt"][LINT0], poor["lvt"][LINT1]) == (EXTINT | apic.LVT_MASKED, NMI)


def test_far_boot_core_starts_in_x2apic_mode() -> None:
    board = Board(with_apic_ids(0, 4, 0x12345, 9))
    assert board.states() == [State.HALTED, State.HALTED]
    near, far = (board.core(kernel.boot_core)["lapic"] for kernel in board.layout.kernels)
    assert not near["base"] & X2APIC_MODE
    assert far["base"] & X2APIC_MODE
    rsdp = board.layout.kernels[1].tables.base
    tables = reading.acpi_tables(board.machine.board.memory, rsdp)
    assert reading.apic_ids(board.machine.board.memory, tables["APIC"]) == [0x12345]


def test_bsp_comes_back_from_x2apic_mode_for_its_own_kernel() -> None:
    layout = with_apic_ids(0, 4, 0x12345, 9)
    rich = replace(layout.kernels[0], cores=(0, 1))
    board = Board(replace(layout, kernels=(rich, layout.kernels[1])))
    assert board.states() == [State.HALTED, State.HALTED]
    assert not board.core(0)["lapic"]["base"] & X2APIC_MODE
    assert board.core(0)["lapic"]["lvt"][LINT0] == EXTINT


def test_bad_table_is_told_and_nobody_starts() -> None:
    board = Board(two_kernels(), table=b"rubbish!")
    assert board.said.startswith(b"firmware: APIC ID 0x0 stopped: partition table at 0x70000: magic is 0x")
    assert [board.core(kernel.boot_core)["owner"] for kernel in board.layout.kernels] == [FIRMWARE] * 2


def running(code: bytes, *, restarts: int) -> Layout:
    """The same machine, where the first kernel's image is this code at its entry."""
    layout = two_kernels()
    kernel = layout.kernels[0]
    segment = replace(kernel.image.segments[0], data=memoryview(code))
    image = replace(kernel.image, segments=(segment,))
    first = replace(kernel, image=image, restarts=restarts, restart_after=1_000_000)
    return replace(layout, kernels=(first, layout.kernels[1]))


def test_the_rom_serves_a_restart() -> None:
    board = Board(running(UD2, restarts=2))
    first, second = board.machine.lives
    assert [ending for _, ending, _ in first.ends] == [Ending.TRIPLE_FAULT] * 3
    assert second.state is State.HALTED
    assert board.said == b""


def test_a_restart_finds_its_interrupt_controllers_quiet() -> None:
    board = Board(running(NOISY_ONCE, restarts=1))
    first = board.machine.lives[0]
    assert (len(first.ends), first.state) == (1, State.HALTED)
    assert (board.machine.board.pic[0]["imr"] == 0xFF).all()
    assert (board.machine.board.ioapics[0]["redirection"] & np.uint64(apic.LVT_MASKED)).all()
