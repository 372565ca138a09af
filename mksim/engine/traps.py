"""What leaves translated code: exceptions, HLT, PAUSE, SYSCALL, RDTSC.

Unicorn never walks the IDT, but QEMU's own delivery is in the wheel, and these hooks call it. A triple fault
is caught by running the guest with an SVM intercept set. HLT and PAUSE are called in place of QEMU's.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.code import LONGEST, PREFIXES, code_bytes, instruction_bytes
from mksim.engine.cpustate import (
    CC_OP_EFLAGS,
    CODE64,
    CONDITION_CODES,
    CPU,
    CPU_ENV,
    DATA_FLAT,
    DF,
    EFER_SCE,
    HF_ADDSEG,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_INHIBIT_IRQ,
    HF_LMA,
    HF_OSFXSR,
    HF_SS32,
    IF,
    RAX,
    RCX,
    RDX,
    RF,
)
from mksim.engine.entry import entry
from mksim.engine.execution import end, leave
from mksim.engine.interrupts import rousable
from mksim.engine.mwait import arm_monitor, changed
from mksim.engine.probe import leave_block
from mksim.engine.qemu import (
    pointer,
    raise_exception_err_ra,
    uc_emu_stop,
    uc_reg_read,
    x86_cpu_do_interrupt,
)
from mksim.engine.records import (
    HALT,
    HALTED,
    MWAITING,
    NOTHING,
    SLICE_OVER,
    STORM,
    TRIPLE_FAULT,
    clock,
    core_of,
    engine_at,
    env_at,
    machine_at,
)
from mksim.engine.softmmu import engine_on
from mksim.engine.stackfault import by_stack

_SHUTDOWN = 0x17F
"""An intercept as UC_HOOK_INTR sees it: 0x100 + exit code (AMD64 vol. 2, appendix C)."""
_DB, _UD, _NP, _SS, _GP = 1, 6, 11, 12, 13
_FAULTS = 0x0B7CE1
"""Vectors whose instruction has not happened, but for #DB: #DE, #BR to #NM, #TS to #PF, #MF, #AC, #XM."""
_ICEBP = 0xF1
_IDT = 2  # in an error code: the selector index names a gate of the IDT
_EFLAGS_REGISTER = 25  # UC_X86_REG_EFLAGS: the condition codes are lazy, only this call sums them up

STORM_LIMIT = 1 << 12
"""Exceptions in a row, no block between them, after which the scheduler gets a turn."""


@native
def stop(engine: np.void, request: int) -> None:
    """End the slice here; only from a BLOCK or INTR hook. What the same block requested comes first."""
    if engine["request"] == NOTHING:
        engine["request"] = request
    engine["limit"] = 0
    uc_emu_stop(engine["uc"])


_SPIN_TURN = 1000
"""Cycles between two PAUSEs of one wait, at the most: an interrupt in between takes longer."""


@native
def pause(engine: np.void, machine: np.void, env: np.void) -> bool:
    """PAUSE: whoever spins gives others a turn, up to a message's latency; return whether its own is over.

    Whoever has spun for long gives more, an eighth of that: a delay of a minute need not take a minute.
    """
    before = engine["time"]
    if env["eip"] != engine["spin_rip"] or before - engine["spin_last"] > _SPIN_TURN:
        engine["spin_rip"], engine["spin_start"] = env["eip"], before
    turn = max(machine["latency"], (before - engine["spin_start"]) >> 3)
    engine["time"] = engine["spin_last"] = max(before, min(engine["horizon"], before + turn))
    engine["skipped"] += engine["time"] - before
    if engine["time"] < engine["horizon"]:
        return False
    if engine["request"] == NOTHING:
        engine["request"] = SLICE_OVER
    return True


@native(inline=True)
def sleep(engine: np.void, machine: np.void, env: np.void, state: int) -> bool:
    """HLT or MWAIT, RIP past it: return whether the core sleeps now, or something waits for it already."""
    core = core_of(machine, engine["core"])
    core["interruptible"] = 1 if env["eflags"] & IF != 0 else 0
    engine["limit"] = 0
    if engine["initialised"] != 0 or rousable(machine, engine["core"], core):
        return False
    core["state"] = state
    if engine["request"] == NOTHING:
        engine["request"] = HALT
    return True


@entry(types.void(types.int64, types.int32))
def helper_pause(where: int, length: int) -> None:
    """In place of QEMU's PAUSE; see `helper_hlt`."""
    address = engine_on(where - CPU_ENV)
    if address == 0:
        qemu.helper_pause(where, length)
    engine, env = engine_at(address), env_at(where)
    env["hflags"] &= ~HF_INHIBIT_IRQ
    env["eip"] += length
    leave(engine)
    if pause(engine, machine_at(engine["machine"]), env):
        end(engine)


@entry(types.void(types.int64, types.int32))
def helper_hlt(where: int, length: int) -> None:
    """In place of QEMU's HLT; RIP and the flags are exact where translated code calls this.

    QEMU's own would leave by longjmp, which costs more than all the rest.
    """
    address = engine_on(where - CPU_ENV)
    if address == 0:
        qemu.helper_hlt(where, length)
    engine, env = engine_at(address), env_at(where)
    env["hflags"] &= ~HF_INHIBIT_IRQ  # STI's shadow is this one instruction
    env["eip"] += length
    leave(engine)
    if sleep(engine, machine_at(engine["machine"]), env, HALTED) or engine["initialised"] != 0:
        end(engine)


@native
def rewind_int(engine: np.void, env: np.void) -> None:
    """Step RIP back to an INT n, which Unicorn has passed: a fault in delivery must report the INT itself."""
    env["eip"] = env["exception_next_eip"] - 2
    if code_bytes(engine, env) & 0xFF != 0xCD:
        env["eip"] += 1  # INT3, INT1, INTO


@native
def amend(engine: np.void, env: np.void, number: int) -> None:
    """Make of a fault as QEMU 5.0 reports it what the manual says."""
    env["eflags"] |= RF  # in the image on the stack (SDM vol. 3B, 19.3.1.1)
    if number in (_NP, _GP) and env["error_code"] & _IDT != 0 and env["hflags"] & HF_LMA != 0:
        # QEMU counts a gate's offset, 16 n; the error code holds its number, 8 n (SDM vol. 3A, 7.13)
        env["error_code"] = (env["error_code"] & ~7) >> 1 | (env["error_code"] & 7)
    elif number == _GP and by_stack(engine, env):
        carray(pointer(engine["cpu"]), 1, CPU)[0]["exception_index"] = _SS


@native
def void(engine: np.void) -> bool:
    """Stop a core that sent INIT to itself earlier in its block: what it does now has no effect."""
    if engine["initialised"] == 0:
        return False
    uc_emu_stop(engine["uc"])
    return True


@entry(types.void(types.uintp, types.uint32, types.uintp))
def on_interrupt(_uc: int, number: int, engine_address: int) -> None:
    """UC_HOOK_INTR: exceptions 0-31, INT n, and the intercepts."""
    engine = engine_at(np.int64(engine_address))
    env = env_at(engine["env"])
    if void(engine):
        return
    leave_block(machine_at(engine["machine"]), engine)
    engine["storm"] = engine["storm"] + 1 if engine["time"] == engine["storm_time"] else 0
    engine["storm_time"] = engine["time"]
    if engine["storm"] > STORM_LIMIT:
        engine["storm"] = 0
        engine["time"] += STORM_LIMIT
        stop(engine, STORM)
    if number == _SHUTDOWN:
        stop(engine, TRIPLE_FAULT)
        return
    core = core_of(machine_at(engine["machine"]), engine["core"])
    if env["exception_is_int"] != 0:  # what MOV SS has held back comes in the handler
        rewind_int(engine, env)
    else:
        if number == _DB:
            env["dr"][6] |= np.int64(core["debug"])
        core["debug"] = 0  # whatever else faults has not hit anything
        if number < 32 and _FAULTS >> number & 1 != 0:
            amend(engine, env, np.int64(number))
    x86_cpu_do_interrupt(engine["cpu"])
    env["exception_is_int"] = 0


@native
def await_store(engine: np.void, machine: np.void, env: np.void) -> None:
    """MWAIT: sleep until the monitored line changes; not at all if none is armed or it has changed since."""
    core = core_of(machine, engine["core"])
    if core["line"] >= 0 and not changed(machine, core):
        machine["monitors"] = 1
        if sleep(engine, machine, env, MWAITING):
            uc_emu_stop(engine["uc"])
    else:
        core["line"] = -1


@native
def needs_no_sse(engine: np.void, env: np.void) -> bool:
    """Tell whether the instruction is one of BMI2's shifts (VEX.0F38 F7), refused as CR4.OSFXSR is clear.

    It has nothing to do with SSE, but shares its prefixes, and QEMU 5.0 takes it for such. Linux's
    decompressor shifts so. With the flag set, SSE is not refused either until CR4 is written again.
    """
    if env["hflags"] & HF_OSFXSR != 0:
        return False
    code = code_bytes(engine, env)
    return code & 0xFF == 0xC4 and (code >> 8) & 0x1F == 2 and (code >> 24) & 0xFF == 0xF7


@native
def breakpoint_size(engine: np.void, env: np.void) -> int:
    """Return the bytes of the instruction at RIP if it is INT1, which TCG of 5.0 does not know; else 0."""
    code = instruction_bytes(engine, env)
    for at in range(LONGEST):
        if code[at] == _ICEBP:
            return at + 1
        if code[at] not in PREFIXES and (code[at] & 0xF0 != 0x40 or env["hflags"] & HF_CS64 == 0):
            return 0
    return 0


@entry(types.boolean(types.uintp, types.uintp))
def on_invalid(_uc: int, engine_address: int) -> bool:
    """UC_HOOK_INSN_INVALID: MONITOR and MWAIT, which this TCG does not know; #UD for all else."""
    engine = engine_at(np.int64(engine_address))
    env = env_at(engine["env"])
    machine = machine_at(engine["machine"])
    if void(engine):
        return True
    leave_block(machine, engine)
    if needs_no_sse(engine, env):
        env["hflags"] |= HF_OSFXSR
        return True
    code = code_bytes(engine, env) & 0xFFFFFF
    if code == 0xC8010F and env["hflags"] & HF_CPL == 0:
        arm_monitor(engine, machine, env)
        env["eip"] += 3
    elif code == 0xC9010F and env["hflags"] & HF_CPL == 0:
        env["eip"] += 3
        await_store(engine, machine, env)
    elif breakpoint_size(engine, env) != 0:
        core = core_of(machine, engine["core"])
        env["eip"] += breakpoint_size(engine, env)
        env["dr"][6] |= np.int64(core["debug"])  # held back by MOV SS: one #DB for both
        core["debug"] = 0
        carray(pointer(engine["cpu"]), 1, CPU)[0]["exception_index"] = _DB
        x86_cpu_do_interrupt(engine["cpu"])
    else:
        env["eflags"] |= RF
        x86_cpu_do_interrupt(engine["cpu"])
        env["exception_is_int"] = 0
    return True


@native
def flat_segment(env: np.void, name_is_code: bool, selector: int) -> None:
    """Load CS or SS as SYSCALL does: flat, DPL 0."""
    if name_is_code:
        env["cs_selector"], env["cs_base"] = selector, 0
        env["cs_limit"], env["cs_flags"] = 0xFFFFFFFF, CODE64
    else:
        env["ss_selector"], env["ss_base"] = selector, 0
        env["ss_limit"], env["ss_flags"] = 0xFFFFFFFF, DATA_FLAT


@entry(types.void(types.uintp, types.uintp))
def on_syscall(uc: int, engine_address: int) -> None:
    """UC_HOOK_INSN, SYSCALL (SDM vol. 2B): TCG's stub only adds 2 to RIP, so leave RIP 2 short of LSTAR.

    From compatibility mode it goes to CSTAR, as on AMD's processors; on Intel's it is #UD there.
    """
    engine = engine_at(np.int64(engine_address))
    env = env_at(engine["env"])
    if env["efer"] & EFER_SCE == 0 or env["hflags"] & HF_LMA == 0:
        raise_exception_err_ra(engine["env"], _UD, 0, 0)
    flags = np.zeros(1, np.int64)
    uc_reg_read(uc, _EFLAGS_REGISTER, flags.ctypes.data)
    env["regs"][RCX] = env["eip"] + 2
    env["regs"][11] = flags[0]
    masked = flags[0] & ~(env["fmask"] & 0xFFFFFFFF)
    env["cc_src"], env["cc_op"] = masked & CONDITION_CODES, CC_OP_EFLAGS
    env["df"] = 1 if masked & DF == 0 else -1
    env["eflags"] = (masked & ~(CONDITION_CODES | DF)) | 2
    env["eip"] = (env["lstar"] if env["hflags"] & HF_CS64 != 0 else env["cstar"]) - 2
    env["hflags"] = (env["hflags"] & ~(HF_CPL | HF_ADDSEG)) | HF_CS32 | HF_SS32 | HF_CS64
    selector = (env["star"] >> 32) & 0xFFFC
    flat_segment(env, True, selector)
    flat_segment(env, False, selector + 8)


@native
def read_tsc(engine: np.void, env: np.void) -> None:
    """Put the time-stamp counter, which is virtual time, into EDX:EAX."""
    machine = machine_at(engine["machine"])
    value = clock(engine, machine) + core_of(machine, engine["core"])["tsc_offset"]
    env["regs"][RAX], env["regs"][RDX] = value & 0xFFFFFFFF, (value >> 32) & 0xFFFFFFFF


@entry(types.int32(types.uintp, types.uintp))
def on_rdtsc(_uc: int, engine_address: int) -> int:
    """UC_HOOK_INSN, RDTSC."""
    engine = engine_at(np.int64(engine_address))
    read_tsc(engine, env_at(engine["env"]))
    return 1


@entry(types.int32(types.uintp, types.uintp))
def on_rdtscp(_uc: int, engine_address: int) -> int:
    """UC_HOOK_INSN, RDTSCP: as RDTSC, with IA32_TSC_AUX in ECX."""
    engine = engine_at(np.int64(engine_address))
    env = env_at(engine["env"])
    read_tsc(engine, env)
    env["regs"][RCX] = np.int64(env["tsc_aux"]) & 0xFFFFFFFF
    return 1
