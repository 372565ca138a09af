"""Delivery and IRET, native, leave the CPU and its memory as QEMU's own do, or leave them alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from mksim.engine import qemu
from mksim.engine.cpustate import CC_OP_EFLAGS, CONDITION_CODES, DF, ENV_SIZE, IF, RSP, view
from mksim.engine.gates import enter, forget_resume, kernel_mode, leave
from mksim.engine.records import env_at
from mksim.machine.machine import Machine
from mksim.machine.reading import read_layout

LAW = settings(deadline=None, derandomize=True, max_examples=150)
CONFIG = Path(__file__).parents[2] / "kernels/pingpong/config.toml"
UP = 200_000
KCODE, KDATA, UDATA, UCODE = 0x08, 0x10, 0x23, 0x2B
CODE64, DATA, USER = 0xAF9B00, 0xCF9300, 3 << 13
NT, RF, AC, ID, IOPL, TF = 1 << 14, 1 << 16, 1 << 18, 1 << 21, 3 << 12, 1 << 8
FLAGS = (*(1 << bit for bit in (0, 2, 4, 6, 7, 11)), DF, IF, NT, RF, AC, ID, IOPL, TF)


@njit
def touch(where: int, address: int) -> None:
    """Bring a page into the TLB, writable."""
    mode = kernel_mode(env_at(where))
    qemu.stq(where, address, qemu.ldq(where, address, mode, 0), mode, 0)


@njit
def qemu_enters(where: int, vector: int, _flags: int) -> bool:
    qemu.do_interrupt_x86_hardirq(where, vector, 1)
    return True


@njit
def qemu_leaves(where: int, _vector: int, _flags: int) -> bool:
    qemu.helper_iret_protected(where, 2, 0)
    forget_resume(env_at(where))
    return True


@njit
def ours_enters(where: int, vector: int, flags: int) -> bool:
    return enter(where, vector, flags)


@njit
def ours_leaves(where: int, _vector: int, _flags: int) -> bool:
    return leave(where)


class Bench:
    """A kernel that is up, its CPU at hand."""

    def __init__(self) -> None:
        self.machine = Machine(read_layout(CONFIG))
        self.machine.run(until=UP)
        record = self.machine.board.engines[0]
        self.where = int(record["env"])
        self.env = view(self.where)[0]
        self.raw = np.frombuffer((np.ctypeslib.ctypes.c_uint8 * ENV_SIZE).from_address(self.where), np.uint8)
        span = self.machine.layout.kernels[0].memory[0]
        self.memory = self.machine.board.memory[span.base : span.end]
        self.clean, self.bytes = self.raw.copy(), self.memory.copy()
        self.stack = int(self.env["regs"][RSP]) - 256

    def host(self, address: int) -> np.ndarray:
        """Return eight bytes at a virtual address of the kernel's, by the walk of its page tables."""
        page = np.zeros(1, np.int64)
        physical = native_page(int(self.machine.board.engines[0]["cpu"]), address, page.ctypes.data)
        return self.machine.board.memory[(physical | address & 0xFFF) :][:8].view(np.int64)

    def word(self, address: int) -> int:
        return int(self.host(address)[0])

    def warm(self, vector: int) -> None:
        """Bring into the TLB what a delivery may need; last what it always needs, as one may oust another."""
        idt, gdt, task = (int(self.env[name]) for name in ("idt_base", "gdt_base", "tr_base"))
        tops = [self.word(task + 4 + 8 * level) for level in (0, *range(3, 10))]
        stacks = [top - 64 for top in tops if top]
        for address in (*stacks, self.stack - 64, self.stack, task, gdt, idt + 16 * vector):
            touch(self.where, address)

    def reset(self) -> None:
        self.raw[:], self.memory[:] = self.clean, self.bytes

    def compare(self, ours: Callable[..., Any], theirs: Callable[..., Any], vector: int) -> bool:
        """Do both from here, one after the other; return whether ours did it."""
        self.warm(vector)
        env, memory = self.raw.copy(), self.memory.copy()
        flags = int(self.env["eflags"] | self.env["cc_src"] | (DF if self.env["df"] < 0 else 0))
        done = bool(ours(self.where, vector, flags))
        ours_env, ours_memory = self.raw.copy(), self.memory.copy()
        self.raw[:], self.memory[:] = env, memory
        if done:
            theirs(self.where, vector, flags)
        assert self.raw.tobytes() == ours_env.tobytes()
        assert self.memory.tobytes() == ours_memory.tobytes()
        return done


@njit
def native_page(cpu: int, address: int, attributes: int) -> int:
    return np.int64(qemu.x86_cpu_get_phys_page_attrs_debug(cpu, np.uint64(address), attributes))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def set_flags(env: np.void, flags: int) -> None:
    env["cc_src"], env["cc_op"] = flags & CONDITION_CODES, CC_OP_EFLAGS
    env["df"] = -1 if flags & DF else 1
    env["eflags"] = flags & ~(CONDITION_CODES | DF) | 2


def set_ring(env: np.void, ring: int) -> None:
    user = USER if ring else 0
    env["cs_selector"], env["cs_flags"] = (UCODE if ring else KCODE), CODE64 | user
    env["ss_selector"], env["ss_flags"] = (UDATA if ring else KDATA), DATA | user
    env["hflags"] = env["hflags"] & ~3 | ring


flags_of = st.sets(st.sampled_from(FLAGS)).map(sum)


@LAW
@given(
    ring=st.sampled_from([0, 3]), flags=flags_of, vector=st.sampled_from([0x20, 0x40, 0x7F, 0xFF]),
    low=st.integers(0, 15), kind=st.sampled_from([14, 14, 15, 12]), ist=st.integers(0, 7),
    code=st.sampled_from([KCODE, KCODE, UCODE, KDATA, 0]),
)  # fmt: skip
def test_an_interrupt_is_delivered_as_qemu_does(
    bench: Bench, ring: int, flags: int, vector: int, low: int, kind: int, ist: int, code: int
) -> None:
    bench.reset()
    gate = bench.host(int(bench.env["idt_base"]) + 16 * vector)
    gate[0] = int(gate[0]) & ~0x1F07_FFFF_0000 | kind << 40 | ist << 32 | code << 16
    set_ring(bench.env, ring)
    set_flags(bench.env, flags)
    bench.env["regs"][RSP] = bench.stack + low
    done = bench.compare(ours_enters, qemu_enters, vector)
    assert done or kind == 12 or code != KCODE or ist != 0


@LAW
@given(
    flags=flags_of, now=flags_of, code=st.sampled_from([KCODE, KCODE, UCODE, UCODE, KCODE | 3, 0]),
    stack=st.sampled_from([0, KDATA, UDATA, UDATA, KDATA | 3]), data=st.sampled_from([0, KDATA, UDATA]),
    rsp=st.integers(0, 1 << 47),
)  # fmt: skip
def test_iret_returns_as_qemu_does(
    bench: Bench, flags: int, now: int, code: int, stack: int, data: int, rsp: int
) -> None:
    bench.reset()
    env = bench.env
    set_ring(env, 0)
    set_flags(env, now)
    for name in ("es", "ds", "fs", "gs"):
        env[f"{name}_selector"], env[f"{name}_flags"] = data, {0: 0, KDATA: DATA, UDATA: DATA | USER}[data]
        env[f"{name}_limit"], env[f"{name}_base"] = (0xFFFFFFFF if data else 0), 0
    env["regs"][RSP] = bench.stack
    for index, word in enumerate((0x1234, code, flags, rsp, stack)):
        bench.host(bench.stack + 8 * index)[0] = word
    done = bench.compare(ours_leaves, qemu_leaves, 0)
    sound = (code, stack) in {(KCODE, 0), (KCODE, KDATA), (UCODE, UDATA)}
    assert done == (sound and not now & NT and (code == KCODE or data != KDATA))
