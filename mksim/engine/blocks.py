"""The block hook: virtual time, and the one place where a running core can be stopped or interrupted.

Called before a block of translated code, with the number of its instructions, by which time advances. Most
blocks do that by themselves and call only when time has reached `limit`: see `translation`.
"""

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine.cpustate import CR4_MCE, HF2_NMI, HF_INHIBIT_IRQ, IF
from mksim.engine.entry import entry
from mksim.engine.gates import enter
from mksim.engine.interrupts import extint, take_extint
from mksim.engine.machinecheck import MCIP, shutdown
from mksim.engine.probe import (
    FRESH,
    NOT_STOPPED,
    breaks_here,
    debugger_of,
    go,
    go_on_in_block,
    pause,
    reason,
    take,
)
from mksim.engine.qemu import (
    cpu_loop_exit_noexc,
    do_interrupt_x86_hardirq,
    uc_emu_stop,
)
from mksim.engine.records import NOTHING, SLICE_OVER, core_of, engine_at, env_at, happen, machine_at
from mksim.engine.tracing import INTERRUPTED, trace
from mksim.hw import lapic

_VECTOR_DEBUG, _VECTOR_NMI, _VECTOR_MACHINE_CHECK = 1, 2, 18


@native
def inject(engine: np.void, env: np.void, vector: int, hardware: int) -> None:
    """Deliver an event through the guest's IDT and leave the block; does not return."""
    take(machine_at(engine["machine"]), engine, vector)
    env["exception_is_int"] = 0
    env["old_exception"] = -1
    do_interrupt_x86_hardirq(engine["env"], vector, hardware)
    cpu_loop_exit_noexc(engine["cpu"])


@native
def debug(engine: np.void, env: np.void, core: np.void) -> None:
    """Deliver #DB behind an instruction that has hit breakpoints on data (SDM vol. 3B, 19.2.3)."""
    env["dr"][6] = (env["dr"][6] & ~15) | np.int64(core["debug"])
    core["debug"] = 0
    inject(engine, env, _VECTOR_DEBUG, 0)


@native
def check_machine(engine: np.void, env: np.void, core: np.void) -> None:
    """Deliver a pending machine check, or shut down the kernel that cannot take one (SDM vol. 3B, 17.3.1)."""
    core["machine_check"] = 0
    if env["cr"][4] & CR4_MCE == 0 or core["mcg_status"] & MCIP != 0:
        shutdown(engine)
        return
    core["mcg_status"] |= MCIP | 3
    inject(engine, env, _VECTOR_MACHINE_CHECK, 0)


@native
def check_interrupts(engine: np.void, machine: np.void, core: np.void, env: np.void) -> None:
    """Deliver an NMI, or the highest interrupt that may come now."""
    index = engine["core"]
    if core["nmi"] != 0 and env["hflags2"] & HF2_NMI == 0:
        core["nmi"] -= 1
        env["hflags2"] |= HF2_NMI
        trace_interrupt(engine, machine, _VECTOR_NMI)
        inject(engine, env, _VECTOR_NMI, 1)
    external = extint(machine, index, core)
    if not external and lapic.highest(core["lapic"]) < 0:
        return
    engine["limit"] = engine["time"]  # until it is taken, look again at every block
    if env["eflags"] & IF == 0:
        return
    if external:
        vector = take_extint(machine, core, engine["time"])
    else:
        vector = np.int64(lapic.acknowledge(core["lapic"]))
    taken(machine, engine, vector)
    inject(engine, env, vector, 1)


@native(inline=True)
def begin(engine: np.void, machine: np.void, core: np.void, env: np.void) -> None:
    """Do before a slice, and set `limit`, what `attend` would before its first block, if it is the usual."""
    engine["limit"] = 0
    events = np.int64(core["nmi"]) | np.int64(core["machine_check"]) | np.int64(core["debug"])
    if events != 0 or env["hflags"] & HF_INHIBIT_IRQ != 0:
        return
    if extint(machine, engine["core"], core):
        return
    vector = np.int64(lapic.highest(core["lapic"]))
    if vector >= 0:
        if env["eflags"] & IF == 0 or not enter(engine["env"], vector, env["eflags"]):
            return
        env["exception_is_int"] = 0
        env["old_exception"] = -1
        taken(machine, engine, np.int64(lapic.acknowledge(core["lapic"])))
        take(machine, engine, vector)
        if lapic.highest(core["lapic"]) >= 0:
            return
    engine["limit"] = engine["horizon"]


@native(inline=True)
def taken(machine: np.void, engine: np.void, vector: int) -> None:
    """Note that the running core takes an interrupt."""
    happen(machine, (engine["time"] << 24) ^ (engine["core"] << 16) ^ 0x8000 ^ vector)
    trace_interrupt(engine, machine, vector)


@native
def trace_interrupt(engine: np.void, machine: np.void, vector: int) -> None:
    """Write that the running core takes an interrupt."""
    trace(machine, INTERRUPTED, engine["time"], engine["core"], vector, 0, 0, 0, 0)


@native
def attend(engine: np.void) -> bool:
    """Do what is to do before the next block; return True if the block must not run."""
    engine["limit"] = engine["horizon"]
    machine = machine_at(engine["machine"])
    env = env_at(engine["env"])
    if engine["request"] == NOTHING and env["hflags"] & HF_INHIBIT_IRQ == 0:
        core = core_of(machine, engine["core"])
        if core["debug"] != 0:
            debug(engine, env, core)
        if core["machine_check"] != 0:
            check_machine(engine, env, core)
        else:
            check_interrupts(engine, machine, core, env)
    elif engine["request"] == NOTHING:
        engine["limit"] = engine["time"]
    if engine["request"] == NOTHING and engine["time"] >= engine["horizon"]:
        engine["request"] = SLICE_OVER
    if engine["request"] != NOTHING:
        uc_emu_stop(engine["uc"])
        return True
    return False


@native
def probed(engine: np.void, instructions: int) -> None:
    """The same under a debugger. What stops without having run anything comes first, breakpoints last."""
    machine, env = machine_at(engine["machine"]), env_at(engine["env"])
    if engine["left"] > 0:
        go_on_in_block(machine, engine, instructions)
        return
    if engine["stage"] == FRESH:
        why = reason(machine, engine, debugger_of(machine), env)
        if why != NOT_STOPPED:
            pause(machine, engine, why)
            return
        if engine["time"] >= engine["limit"] and attend(engine):
            return
    if breaks_here(machine, engine, env):
        return
    engine["time"] += instructions
    engine["left"] = instructions
    go(machine, engine, env, instructions)


@entry(types.void(types.uintp, types.uint64, types.uint32, types.uintp))
def on_block(_uc: int, _address: int, instructions: int, engine_address: int) -> None:
    """UC_HOOK_BLOCK, but for the third argument."""
    engine = engine_at(np.int64(engine_address))
    if engine["marks"] != 0 and engine["alone"] == 0:
        probed(engine, np.int64(instructions))
        return
    if engine["time"] >= engine["limit"] and attend(engine):
        return
    engine["time"] += instructions
