"""Debug registers: breakpoints on data, which Unicorn has taken out of QEMU, and whose they are.

Breakpoints on code are QEMU's: DR7 makes it keep a list, one for an engine, so a core's are taken out of the
list while another core is on the engine. Those on data are here. Pages that they watch go the slow way in the
TLB, which asks at every access; the instruction that hits one runs again, alone in its block, and before the
next block comes #DB. SDM vol. 3B, 19.2.

The functions with QEMU's names take the place of its own (exec.c of 5.0.1).
"""

import numpy as np
from numba import carray, types

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU, CPU_ENV
from mksim.engine.entry import entry
from mksim.engine.probe import BY_PHYSICAL, sight, watched
from mksim.engine.qemu import (
    cpu_loop_exit_noexc,
    cpu_restore_state,
    cpu_x86_update_dr7,
    pointer,
    raise_exception_err_ra,
    tlb_flush_page,
)
from mksim.engine.records import core_of, engine_at, env_at, machine_at
from mksim.engine.softmmu import engine_on, physical_at
from mksim.spec.memmap import PAGE

_ENABLED = 0xFF
"""Of DR7: L0 G0 ... L3 G3."""
_NONE = 0x400
"""DR7 with nothing enabled."""
_WRITES, _ACCESSES = 1, 3
"""R/W fields of DR7 that watch data."""
_READ, _WRITE = 1, 2
"""QEMU's words for how it is accessed."""
_COUNT = 4
_DR4 = 4
_GENERAL_DETECT, _DETECTED = 1 << 13, 1 << 13
"""DR7.GD and DR6.BD."""
_DB, _GP = 1, 13


@native
def watches(env: np.void, number: int, address: int, size: int) -> int:
    """Return which accesses to a range breakpoint `number` breaks at, as QEMU says it; 0 for none."""
    control = env["dr"][7]
    kind, length = (control >> (16 + 4 * number)) & 3, (control >> (18 + 4 * number)) & 3
    if (control >> (2 * number)) & 3 == 0 or kind not in (_WRITES, _ACCESSES):
        return 0
    width = 8 if length == 2 else length + 1
    start = env["dr"][number] & -width
    if start >= address + size or start + width <= address:
        return 0
    return _WRITE if kind == _WRITES else _READ | _WRITE


@entry(types.int32(types.int64, types.int64, types.int64))
def cpu_watchpoint_address_matches(cpu: int, address: int, size: int) -> int:
    """Tell which accesses to a page that enters the TLB must be looked at."""
    found, ours = 0, engine_on(cpu)
    if ours != 0:
        engine = engine_at(ours)
        found = watched(engine, address, size, _READ | _WRITE, 0)
        found |= watched(engine, engine["filling"], PAGE, _READ | _WRITE, BY_PHYSICAL)
    if ours != 0 and env_at(cpu + CPU_ENV)["dr"][7] & _ENABLED != 0:
        for number in range(_COUNT):
            found |= watches(env_at(cpu + CPU_ENV), number, address, size)
    return found


@entry(types.int32(types.int64, types.int64, types.int64, types.int32, types.int64))
def cpu_watchpoint_insert(cpu: int, address: int, _size: int, _flags: int, _where: int) -> int:
    """A breakpoint on data was set: the page is in the TLB as one that nobody watches."""
    if engine_on(cpu) != 0:
        tlb_flush_page(cpu, address & -PAGE)
    return 0


@entry(types.void(types.int64, types.int64, types.int64, types.uint32, types.int32, types.int64))
def cpu_check_watchpoint(cpu: int, address: int, size: int, _rights: int, flags: int, code: int) -> None:
    """Before an access to a page that is watched. At the first sight of a hit it does not return."""
    ours = engine_on(cpu)
    if ours == 0:
        return
    engine, env, hit = engine_at(ours), env_at(cpu + CPU_ENV), 0
    sight(engine, address, physical_at(cpu, address), size, flags, code)
    for number in range(_COUNT):
        if watches(env, number, address, size) & flags != 0:
            hit |= 1 << number
    if hit == 0:
        return
    if engine["alone"] == 0 and code != 0:
        engine["alone"] = 1
        engine["left"] = engine["stage"] = 0
        engine["limit"] = NEVER  # nothing may come between, as what comes would be what breaks
        cpu_restore_state(cpu, code, True)
        carray(pointer(cpu), 1, CPU)[0]["next_flags"] = 1  # instructions
        cpu_loop_exit_noexc(cpu)
    engine["alone"] = engine["limit"] = 0
    core_of(machine_at(engine["machine"]), engine["core"])["debug"] |= hit


@native
def disarm(engine: np.void) -> int:
    """Take the breakpoints of the core that leaves an engine out of QEMU's list; return its DR7."""
    env = env_at(engine["env"])
    control = env["dr"][7]
    if control & _ENABLED != 0:
        cpu_x86_update_dr7(engine["env"], _NONE)
    return control


@native
def arm(engine: np.void) -> None:
    """Put those of the core that has come to an engine into the list."""
    env = env_at(engine["env"])
    control = env["dr"][7]
    if control & _ENABLED != 0:
        env["dr"][7] = _NONE
        cpu_x86_update_dr7(engine["env"], control)


@native
def detect(where: int, env: np.void) -> None:
    """Raise #DB in place of a move of a debug register, if DR7.GD asks for that (SDM vol. 3B, 19.2.4)."""
    if env["dr"][7] & _GENERAL_DETECT != 0:
        env["dr"][7] &= ~_GENERAL_DETECT
        env["dr"][6] |= _DETECTED
        raise_exception_err_ra(where, _DB, 0, 0)


@entry(types.int64(types.int64, types.int32))
def helper_get_dr(where: int, register: int) -> int:
    """MOV from DRn at CPL 0, in place of QEMU's; RIP is exact where translated code calls this."""
    if engine_on(where - CPU_ENV) != 0:
        detect(where, env_at(where))
    return qemu.helper_get_dr(where, register)


@entry(types.void(types.int64, types.int32, types.int64))
def helper_set_dr(where: int, register: int, value: int) -> None:
    """MOV to DRn, likewise. DR6 and DR7 have no upper half (SDM vol. 3B, 19.2.6)."""
    if engine_on(where - CPU_ENV) != 0:
        detect(where, env_at(where))
        if register >= _DR4 and value >> 32 != 0:
            raise_exception_err_ra(where, _GP, 0, 0)
    qemu.helper_set_dr(where, register, value)


FUNCTIONS = (
    helper_get_dr, helper_set_dr,
    cpu_watchpoint_address_matches, cpu_watchpoint_insert, cpu_check_watchpoint,
)  # fmt: skip
