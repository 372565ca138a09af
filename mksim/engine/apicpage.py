"""The local APIC's page as translated code reaches it: past QEMU's dispatch to devices.

These functions take the place of the helpers that translated code calls where an access of four bytes has no
memory behind it (accel/tcg/cputlb.c of QEMU 5.0.1). Whatever is not a register of the local APIC is QEMU's.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.access import PHYSICAL, READ, WRITE
from mksim.engine.cpustate import CPU_ENV, CPU_MEM_IO_PC
from mksim.engine.entry import entry
from mksim.engine.mmio import apic_read, apic_write, resume_io, settle_io
from mksim.engine.qemu import pointer
from mksim.engine.records import engine_at, machine_at
from mksim.engine.slowpath import align, heed
from mksim.engine.softmmu import engine_on, entry_of
from mksim.spec.memmap import LAPIC, PAGE

_DEVICE = 0x200
"""Of an entry's address: no memory is behind it (TLB_MMIO)."""
_MODE = 15
"""Of a TCGMemOpIdx: the MMU mode."""


@native(inline=True)
def reaches_apic(cpu: int, address: int, operation: int, word: int) -> bool:
    """Tell whether an aligned access hits the page, as far as the TLB knows."""
    entry = entry_of(cpu, operation & _MODE, address)
    return entry[word] == address & -PAGE | _DEVICE and entry[PHYSICAL] == LAPIC and address & 3 == 0


@native(inline=True)
def come_from(cpu: int, code: int) -> None:
    """Note where in translated code the access is."""
    carray(pointer(cpu + CPU_MEM_IO_PC), 1, np.int64)[0] = code


@entry(types.uint64(types.int64, types.int64, types.uint32, types.int64))
def helper_le_ldul_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load four bytes."""
    cpu = where - CPU_ENV
    if engine_on(cpu) == 0 or not reaches_apic(cpu, address, operation, READ):
        loaded = qemu.helper_le_ldul_mmu(where, address, align(where, address, operation, code), code)
        heed(where, code)
        return loaded
    engine, offset = engine_at(engine_on(cpu)), address & (PAGE - 1)
    come_from(cpu, code)
    resume_io(engine, LAPIC + offset)
    value = apic_read(engine, machine_at(engine["machine"]), LAPIC, offset)
    settle_io(engine)
    return value & np.uint64(0xFFFFFFFF)


@entry(types.void(types.int64, types.int64, types.uint32, types.uint32, types.int64))
def helper_le_stl_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store four bytes."""
    cpu = where - CPU_ENV
    if engine_on(cpu) == 0 or not reaches_apic(cpu, address, operation, WRITE):
        qemu.helper_le_stl_mmu(where, address, value, align(where, address, operation, code), code)
        heed(where, code)
        return
    engine, offset = engine_at(engine_on(cpu)), address & (PAGE - 1)
    come_from(cpu, code)
    resume_io(engine, LAPIC + offset)
    apic_write(engine, machine_at(engine["machine"]), LAPIC, offset, np.int64(value))
    settle_io(engine)


FUNCTIONS = (helper_le_ldul_mmu, helper_le_stl_mmu)
