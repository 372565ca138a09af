"""The machine as its user meets it: runs, limits, ends, restarts, messages to oneself."""

from dataclasses import replace

import numpy as np
import pytest

from mksim.engine import records
from mksim.machine.config import Ending, Protection, TripleFault
from mksim.machine.kernel import State
from mksim.machine.machine import Outcome
from mksim.machine.snapshot import restore, take
from mksim.spec.memmap import TEST_MEMORY
from tests.machine.guests import APIC, HALT, PAGE, base, kernel, layout, leave, machine, store32

UD2 = b"\x0f\x0b"
SPIN = b"\xeb\xfe"
INIT, TO_SELF = 0x4500, 0x40000


def count(cell: int) -> bytes:
    """inc dword [cell]; jmp back"""
    return b"\xff\x05" + cell.to_bytes(4, "little") + b"\xeb\xf8"


def word(one, address):
    return int(one.board.memory[address : address + 4].view(np.uint32)[0])


def test_a_kernel_ends_with_its_own_code_while_others_go_on():
    one = machine(leave(7), leave(0x12345678))
    assert one.run() is Outcome.ENDED
    assert [(life.ending, life.exit_code) for life in one.lives] == [
        (Ending.EXIT, 7),
        (Ending.EXIT, 0x12345678),
    ]


def test_kernels_that_sleep_for_ever_are_halted():
    one = machine(HALT, leave(0))
    assert one.run() is Outcome.ENDED
    assert [life.state for life in one.lives] == [State.HALTED, State.ENDED]


def test_a_triple_fault_ends_its_kernel_alone():
    one = machine(UD2, leave(3))
    one.run()
    assert [life.ending for life in one.lives] == [Ending.TRIPLE_FAULT, Ending.EXIT]


def test_a_triple_fault_takes_all_down_on_a_board_that_says_so():
    one = machine(UD2, SPIN, on_triple_fault=TripleFault.MACHINE)
    assert one.run(until=1_000_000) is Outcome.ENDED
    assert [life.ending for life in one.lives] == [Ending.TRIPLE_FAULT, Ending.RESET]


def test_a_reset_of_the_whole_machine_starts_everybody_again():
    cells = [base(number) + 0x800 for number in range(2)]
    faulty, other = (b"\xff\x05" + cell.to_bytes(4, "little") for cell in cells)  # inc dword [cell]
    late = b"\xb9\x00\x00\x01\x00\xe2\xfe" + UD2  # mov ecx, 0x10000; loop $
    plan = layout(faulty + late, other + SPIN)
    restarted = kernel(0, faulty + late, restarts=2, restart_after=500)
    one = machine(
        kernels=(restarted, plan.kernels[1]), apic_ids=(0, 1), on_triple_fault=TripleFault.MACHINE
    )
    assert one.run(until=1_000_000) is Outcome.ENDED
    assert [ending for _, ending, _ in one.lives[0].ends] == [Ending.TRIPLE_FAULT] * 3
    assert [ending for _, ending, _ in one.lives[1].ends] == [Ending.RESET] * 3
    assert [when for when, _, _ in one.lives[0].ends] == [when for when, _, _ in one.lives[1].ends]
    assert [life.restarts for life in one.lives] == [2, 2]
    assert [word(one, cell) for cell in cells] == [1, 1]


def test_a_kernel_is_started_again_from_its_image_as_often_as_it_may():
    cell = base(0) + 0x800
    code = b"\xff\x05" + cell.to_bytes(4, "little") + UD2
    plan = layout(code, leave(0))
    one = machine(
        code, kernels=(kernel(0, code, restarts=2, restart_after=500), plan.kernels[1]), apic_ids=(0, 1)
    )
    one.run()
    assert [ending for _, ending, _ in one.lives[0].ends] == [Ending.TRIPLE_FAULT] * 3
    assert word(one, cell) == 1
    assert one.lives[1].exit_code == 0


def test_the_test_devices_memory_is_each_kernels_own_and_in_digest_and_snapshot():
    one, other = machine(store32(TEST_MEMORY, 5) + leave(0), SPIN), machine(HALT + leave(0), SPIN)
    before, clean = take(one), one.digest()
    one.run(until=100_000)
    assert one.board.test_memory[:, 0].tolist() == [5, 0, 0]
    dirty = one.digest()
    one.board.test_memory[0, 0] = 0
    assert one.digest() != dirty
    restore(one, before)
    assert one.digest() == clean
    assert not other.board.test_memory.any()


def test_nobody_runs_in_the_test_devices_memory():
    one = machine(b"\xe9" + (TEST_MEMORY - base(0) - 5).to_bytes(4, "little"), leave(0))  # jmp
    one.run(until=100_000)
    assert one.lives[0].ending is Ending.TRIPLE_FAULT


@pytest.mark.parametrize("limit", [1_000, 40_000, 123_456])
def test_a_run_ends_at_its_time_and_at_its_count_of_instructions(limit):
    one = machine(SPIN)
    assert one.run(until=limit) is Outcome.LIMIT
    assert limit <= one.now < limit + 1000
    other = machine(SPIN)
    assert other.run(instructions=limit) is Outcome.LIMIT
    assert other.instructions >= limit


def test_a_run_stops_from_outside_and_goes_on():
    one = machine(count(base(0) + 0x800))
    one.run(instructions=10_000)
    one.stop()
    assert one.run() is Outcome.INTERRUPTED
    before = word(one, base(0) + 0x800)
    one.run(instructions=one.instructions + 1)
    assert word(one, base(0) + 0x800) > before


def test_console_bytes_come_in_order_to_every_observer():
    hello = b"".join(b"\xb0" + bytes([letter]) + b"\xe6\xe9" for letter in b"hello")
    one = machine(hello + leave(0), leave(0))
    seen, twice = [], []
    one.consoles += [
        lambda written: seen.extend(written["byte"].tolist()),
        twice.append,
    ]
    one.run()
    assert bytes(seen) == b"hello"
    assert sum(map(len, twice)) == 5


@pytest.mark.parametrize(
    "then", [HALT, SPIN, store32(APIC + 0x80, 0x20) + SPIN, b"\xe5\x80" + SPIN, leave(1)], ids=str
)
def test_an_init_to_oneself_stops_the_core_and_harms_nobody_else(then):
    mine = store32(APIC + 0xF0, 0x1FF) + store32(APIC + 0x300, TO_SELF | INIT) + then
    one = machine(mine, leave(5), protection=Protection.GUARD)
    one.run(until=2_000_000)
    if then != leave(1):
        assert one.board.cores[0]["state"] == records.WAIT_FOR_SIPI
    assert one.lives[1].exit_code == 5
    assert one.ledger.violations == 0


def test_init_and_start_up_to_oneself_start_over_in_real_mode():
    sipi = 0x600 | 0x01
    trampoline = bytes.fromhex("66b809000000e7f4f4")  # mov eax, 9; out 0xf4 (16 bits wide would be ax)
    mine = b"".join(
        store32(0x1000 + at, int.from_bytes(trampoline[at : at + 4].ljust(4, b"\xf4"), "little"))
        for at in (0, 4, 8)
    )
    mine += store32(APIC + 0x300, TO_SELF | INIT) + store32(APIC + 0x300, TO_SELF | sipi) + SPIN
    plan = layout(mine)
    low = replace(plan.kernels[0], low_page=plan.kernels[0].memory[0].__class__(PAGE, PAGE))
    one = machine(mine, kernels=(low,))
    one.run(until=2_000_000)
    assert one.lives[0].exit_code == 9


def test_code_of_another_does_not_run_in_a_kernel_that_takes_no_machine_checks():
    into = b"\xb8" + (base(1) + 0x800).to_bytes(4, "little") + b"\xff\xe0"  # jmp eax
    victim = leave(1).ljust(0x800, b"\xf4") + leave(9)
    one = machine(into, victim, protection=Protection.GUARD)
    one.run(until=2_000_000)
    assert (one.lives[0].ending, one.lives[0].exit_code) == (Ending.MACHINE_CHECK, None)
    assert one.lives[1].exit_code == 1
