"""CPUID: a table for all cores, and the few bits that depend on which core asks (SDM vol. 2A, CPUID)."""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine.cpustate import CR4_OSXSAVE, RAX, RBX, RCX, RDX
from mksim.engine.entry import entry
from mksim.engine.qemu import pointer
from mksim.engine.records import core_of, engine_at, env_at, machine_at
from mksim.hw import lapic
from mksim.spec.cpuid import ANY, ROW

_OSXSAVE, _APIC = 1 << 27, 1 << 9


@native
def find(machine: np.void, leaf: int, subleaf: int) -> int:
    """Return the number of the row that answers, or -1."""
    rows = carray(pointer(machine["cpuid"]), machine["cpuid_rows"], ROW)
    for number in range(machine["cpuid_rows"]):
        if np.int64(rows[number]["leaf"]) == leaf and rows[number]["subleaf"] in (ANY, subleaf):
            return number
    return -1


@native
def personal(core: np.void, env: np.void, leaf: int, regs: np.ndarray) -> None:
    """Add what only the asking core knows."""
    identity = np.int64(core["apic_id"])
    if leaf == 1:
        regs[RBX] |= (identity & 0xFF) << 24
        if env["cr"][4] & CR4_OSXSAVE != 0:
            regs[RCX] |= _OSXSAVE
        if not lapic.globally_enabled(core["lapic"]):
            regs[RDX] &= ~_APIC  # SDM vol. 3A, 12.4.3
    elif leaf == 0x0B:
        regs[RDX] = identity


@entry(types.int32(types.uintp, types.uintp))
def on_cpuid(_uc: int, engine_address: int) -> int:
    """UC_HOOK_INSN, CPUID; 1 keeps QEMU from answering."""
    engine = engine_at(np.int64(engine_address))
    machine = machine_at(engine["machine"])
    env = env_at(engine["env"])
    regs = env["regs"]
    leaf, subleaf = regs[RAX] & 0xFFFFFFFF, regs[RCX] & 0xFFFFFFFF
    number = find(machine, leaf, subleaf)
    row = carray(pointer(machine["cpuid"]), machine["cpuid_rows"], ROW)[max(number, 0)]
    regs[RAX], regs[RBX] = (np.int64(row["eax"]), np.int64(row["ebx"])) if number >= 0 else (0, 0)
    regs[RCX], regs[RDX] = (np.int64(row["ecx"]), np.int64(row["edx"])) if number >= 0 else (0, 0)
    personal(core_of(machine, engine["core"]), env, leaf, regs)
    return 1
