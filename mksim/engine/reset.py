"""RESET, INIT and SIPI: how a core gets to its first instruction (SDM vol. 3A, 9.4 and 11.1)."""

import numpy as np

from mksim.compiled import native
from mksim.engine.breakpoints import disarm
from mksim.engine.cpustate import (
    CC_OP_EFLAGS,
    CODE16,
    CPU_SIGNATURE,
    DATA16,
    ENV,
    HF_ADDSEG,
    HF_GUEST,
    INTERCEPT_SHUTDOWN,
    LDT,
    RDX,
    TSS,
    VMCB,
)
from mksim.engine.records import NOTHING, RUNNING, SLICE_OVER, WAIT_FOR_SIPI, core_of, engine_of
from mksim.hw import lapic


@native
def init_core(machine: np.void, index: int) -> None:
    """INIT: the core drops what it did and waits for a start-up message. Caches and FPU keep their state."""
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    if machine["running"] == index:  # what is left of its block still runs, as instructions in flight do
        engine["initialised"], engine["limit"] = 1, 0
        if engine["request"] == NOTHING:
            engine["request"] = SLICE_OVER
    elif engine["core"] == index:
        disarm(engine)
        engine["core"] = -1
    core["state"] = WAIT_FOR_SIPI
    core["nmi"] = core["extint"] = core["machine_check"] = core["debug"] = 0
    core["line"] = -1
    lapic.init_reset(core["lapic"])


@native
def start_core(machine: np.void, index: int, vector: int, when: int) -> None:
    """SIPI: real mode at CS:IP = vector << 8 : 0."""
    core = core_of(machine, index)
    core["state"] = RUNNING
    core["time"] = max(core["time"], when)
    real_mode(core["env"], vector << 8)


@native
def real_mode(env: np.void, selector: int) -> None:
    """Put a state into real mode at `selector`:0, interrupts off (SDM vol. 3A, table 11-1)."""
    env["regs"][:] = 0
    env["regs"][RDX] = CPU_SIGNATURE
    env["eip"], env["eflags"], env["efer"] = 0, 2, 0
    env["cc_op"], env["cc_src"], env["df"] = CC_OP_EFLAGS, 0, 1
    env["hflags"], env["hflags2"] = HF_ADDSEG | HF_GUEST, 1  # hflags2 bit 0: GIF
    env["cr"][:] = 0
    env["cr"][0] = 0x60000010
    env["dr"][:] = 0
    env["dr"][6], env["dr"][7] = 0xFFFF0FF0, 0x400
    env["cs_selector"], env["cs_base"] = selector, selector << 4
    env["es_selector"] = env["ss_selector"] = env["ds_selector"] = env["fs_selector"] = env["gs_selector"] = 0
    env["es_base"] = env["ss_base"] = env["ds_base"] = env["fs_base"] = env["gs_base"] = 0
    env["cs_flags"] = CODE16
    env["es_flags"] = env["ss_flags"] = env["ds_flags"] = env["fs_flags"] = env["gs_flags"] = DATA16
    env["cs_limit"] = env["es_limit"] = env["ss_limit"] = 0xFFFF
    env["ds_limit"] = env["fs_limit"] = env["gs_limit"] = 0xFFFF
    env["gdt_base"] = env["idt_base"] = env["ldt_base"] = env["tr_base"] = 0
    env["gdt_limit"] = env["idt_limit"] = env["ldt_limit"] = env["tr_limit"] = 0xFFFF
    env["gdt_flags"] = env["idt_flags"] = env["ldt_selector"] = env["tr_selector"] = 0
    env["ldt_flags"], env["tr_flags"] = LDT, TSS  # not busy: QEMU aborts at a ring change through any other
    env["exception_is_int"], env["old_exception"] = 0, -1


_real_mode = getattr(real_mode, "py_func", real_mode)
"""The same for Python, which needs it once: not worth a compiled entry."""


def after_reset(pristine: np.ndarray) -> np.ndarray:
    """Return the ENV of a processor after RESET: real mode at the reset vector (SDM vol. 3A, 11.1.4).

    `pristine` is the state of an engine that never ran: it holds QEMU's own reset values of FPU and SSE.
    """
    state = np.frombuffer(bytearray(pristine.tobytes()), ENV)
    env = state[0]
    _real_mode(env, 0xF000)
    env["eip"], env["cs_base"] = 0xFFF0, 0xFFFF0000
    env["xcr0"] = 1
    env["vm_vmcb"], env["intercept"] = VMCB, INTERCEPT_SHUTDOWN
    return state
