"""Control registers: what QEMU takes and a CPU refuses, and CR8, which is the local APIC's.

In place of QEMU's MOV to and from a control register, and LMSW (target/i386/misc_helper.c of 5.0.1); RIP and
the flags are exact where translated code calls these. SDM vol. 3A, 2.5.
"""

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV, HF_CS64, HF_LMA
from mksim.engine.entry import entry
from mksim.engine.qemu import raise_exception_err_ra
from mksim.engine.records import core_of, engine_at, env_at, machine_at
from mksim.engine.softmmu import engine_on
from mksim.hw import lapic
from mksim.spec.apic import TPR

_PE, _NW, _CD, _PG = 1 << 0, 1 << 29, 1 << 30, 1 << 31
_PAE, _LME = 1 << 5, 1 << 8
_CR4_KNOWN = 0x1507FF
"""VME to OSXMMEXCPT, FSGSBASE, OSXSAVE, SMEP: what CPUID announces."""
_ADDRESS_BITS = 40
_GP = 13


@native
def sound_cr0(env: np.void, value: int) -> bool:
    """Tell whether CR0 may have this value."""
    if value >> 32 != 0 or value & (_PG | _PE) == _PG or value & (_NW | _CD) == _NW:
        return False
    if value & _PG == 0:
        return env["cr"][0] & _PG == 0 or env["hflags"] & HF_CS64 == 0
    return env["cr"][0] & _PG != 0 or env["efer"] & _LME == 0 or env["cr"][4] & _PAE != 0


@native
def sound(env: np.void, register: int, value: int) -> bool:
    """Tell whether a control register may have this value."""
    if register == 0:
        return sound_cr0(env, value)
    if register == 3:
        return value >> _ADDRESS_BITS == 0
    if register == 4:
        return value & ~_CR4_KNOWN == 0 and (value & _PAE != 0 or env["hflags"] & HF_LMA == 0)
    return register != 8 or 0 <= value < 16


@entry(types.void(types.int64, types.int32, types.int64))
def helper_write_crN(where: int, register: int, value: int) -> None:  # noqa: N802
    """MOV to CRn at CPL 0; #GP for what it may not have."""
    ours = engine_on(where - CPU_ENV)
    if ours != 0 and not sound(env_at(where), register, value):
        raise_exception_err_ra(where, _GP, 0, 0)
    if ours == 0 or register != 8:
        qemu.helper_write_crN(where, register, value)
        return
    engine = engine_at(ours)
    apic = core_of(machine_at(engine["machine"]), engine["core"])["lapic"]
    lapic.write(apic, TPR, value << 4, engine["time"])
    engine["limit"] = 0


@entry(types.int64(types.int64, types.int32))
def helper_read_crN(where: int, register: int) -> int:  # noqa: N802
    """MOV from CRn at CPL 0. CR8 is bits 7:4 of the TPR (SDM vol. 3A, 12.8.6)."""
    ours = engine_on(where - CPU_ENV)
    if ours == 0 or register != 8:
        return qemu.helper_read_crN(where, register)
    engine = engine_at(ours)
    apic = core_of(machine_at(engine["machine"]), engine["core"])["lapic"]
    return lapic.read(apic, TPR, engine["time"]) >> 4


FUNCTIONS = (helper_write_crN, helper_read_crN)
