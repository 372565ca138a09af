"""Loads and stores that the TLB does not settle, and why translated code need not look behind each.

Unicorn ends a run in the middle of a block where an access was refused: behind every access it has translated
code look whether it shall. That costs more than the access, as the guest's registers go to memory and back.
But only an access that takes QEMU's slow path can be refused. So the look is taken here, behind that
(accel/tcg/cputlb.c of 5.0.1), and none is translated (tcg/tcg-op.c).

So is a look at alignment, which QEMU's x86 has not: only a program in ring 3 that has set RFLAGS.AC has its
accesses translated such that all that are not aligned come here (SDM vol. 3A, 7.15, interrupt 17).
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV, CPU_EXIT, HF_CPL, TCG_UC, UC_CPU, UC_NO_EXIT
from mksim.engine.entry import entry
from mksim.engine.qemu import pointer, raise_exception_err_ra
from mksim.engine.records import env_at
from mksim.engine.softmmu import engine_on

_ALIGNED = 0x70
"""Of a MemOp: the address is a multiple of the size (MO_ALIGN)."""
_OPERATION = 4
"""Where the MemOp is in a TCGMemOpIdx."""
_CR0_AM, _FLAGS_AC = 1 << 18, 1 << 18
_AC = 17

_EMIT = types.void(types.int64, types.int64, types.int64, types.int64, types.uint32)
_LOAD = types.uint64(types.int64, types.int64, types.uint32, types.int64)
_STORE = types.void(types.int64, types.int64, types.uint32, types.uint32, types.int64)
_STORE_64 = types.void(types.int64, types.int64, types.uint64, types.uint32, types.int64)


@native
def heed(where: int, code: int) -> None:
    """Leave the block at the access that `code` is behind, if a run shall end there; it has not happened."""
    cpu = where - CPU_ENV
    if carray(pointer(cpu + CPU_EXIT), 1, np.int32)[0] < 0 and engine_on(cpu) != 0:
        qemu.cpu_loop_exit_restore(cpu, code)


@native
def checks_alignment(env: np.void) -> bool:
    """Tell whether a program wants its accesses aligned, as far as a block knows: CR0 is not in its flags."""
    return env["eflags"] & _FLAGS_AC != 0 and env["hflags"] & HF_CPL == HF_CPL


@native
def align(where: int, address: int, operation: int, code: int) -> int:
    """Raise #AC if an access must be aligned and is not; return its TCGMemOpIdx as QEMU takes it."""
    if operation & (_ALIGNED << _OPERATION) == 0:
        return operation
    size, env = 1 << ((operation >> _OPERATION) & 3), env_at(where)
    if address & (size - 1) != 0 and env["cr"][0] & _CR0_AM != 0 and checks_alignment(env):
        raise_exception_err_ra(where, _AC, 0, code)
    return operation & ~(_ALIGNED << _OPERATION)


@native
def look(context: int, skipped: int) -> int:
    """Have Unicorn translate no looks from now on, or again; return how accesses are to be translated."""
    uc = carray(pointer(context + TCG_UC), 1, np.int64)[0]
    cpu = carray(pointer(uc + UC_CPU), 1, np.int64)[0]
    if engine_on(cpu) == 0:
        return 0
    carray(pointer(uc + UC_NO_EXIT), 1, np.uint8)[0] = skipped
    return _ALIGNED if checks_alignment(env_at(cpu + CPU_ENV)) else 0


@entry(_EMIT)
def tcg_gen_qemu_ld_i32(context: int, value: int, address: int, index: int, operation: int) -> None:
    """Translate a load to 32 bits."""
    operation |= look(context, 1)
    qemu.tcg_gen_qemu_ld_i32(context, value, address, index, operation)
    look(context, 0)


@entry(_EMIT)
def tcg_gen_qemu_ld_i64(context: int, value: int, address: int, index: int, operation: int) -> None:
    """Translate a load to 64 bits."""
    operation |= look(context, 1)
    qemu.tcg_gen_qemu_ld_i64(context, value, address, index, operation)
    look(context, 0)


@entry(_EMIT)
def tcg_gen_qemu_st_i32(context: int, value: int, address: int, index: int, operation: int) -> None:
    """Translate a store of 32 bits."""
    operation |= look(context, 1)
    qemu.tcg_gen_qemu_st_i32(context, value, address, index, operation)
    look(context, 0)


@entry(_EMIT)
def tcg_gen_qemu_st_i64(context: int, value: int, address: int, index: int, operation: int) -> None:
    """Translate a store of 64 bits."""
    operation |= look(context, 1)
    qemu.tcg_gen_qemu_st_i64(context, value, address, index, operation)
    look(context, 0)


@entry(_LOAD)
def helper_ret_ldub_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load a byte."""
    value = qemu.helper_ret_ldub_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_LOAD)
def helper_le_lduw_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load two bytes."""
    value = qemu.helper_le_lduw_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_LOAD)
def helper_le_ldq_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load eight bytes."""
    value = qemu.helper_le_ldq_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_LOAD)
def helper_be_lduw_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load two bytes, big-endian."""
    value = qemu.helper_be_lduw_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_LOAD)
def helper_be_ldul_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load four bytes, big-endian."""
    value = qemu.helper_be_ldul_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_LOAD)
def helper_be_ldq_mmu(where: int, address: int, operation: int, code: int) -> int:
    """Load eight bytes, big-endian."""
    value = qemu.helper_be_ldq_mmu(where, address, align(where, address, operation, code), code)
    heed(where, code)
    return value


@entry(_STORE)
def helper_ret_stb_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store a byte."""
    qemu.helper_ret_stb_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


@entry(_STORE)
def helper_le_stw_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store two bytes."""
    qemu.helper_le_stw_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


@entry(_STORE_64)
def helper_le_stq_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store eight bytes."""
    qemu.helper_le_stq_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


@entry(_STORE)
def helper_be_stw_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store two bytes, big-endian."""
    qemu.helper_be_stw_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


@entry(_STORE)
def helper_be_stl_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store four bytes, big-endian."""
    qemu.helper_be_stl_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


@entry(_STORE_64)
def helper_be_stq_mmu(where: int, address: int, value: int, operation: int, code: int) -> None:
    """Store eight bytes, big-endian."""
    qemu.helper_be_stq_mmu(where, address, value, align(where, address, operation, code), code)
    heed(where, code)


FUNCTIONS = (
    tcg_gen_qemu_ld_i32, tcg_gen_qemu_ld_i64, tcg_gen_qemu_st_i32, tcg_gen_qemu_st_i64,
    helper_ret_ldub_mmu, helper_le_lduw_mmu, helper_le_ldq_mmu,
    helper_be_lduw_mmu, helper_be_ldul_mmu, helper_be_ldq_mmu,
    helper_ret_stb_mmu, helper_le_stw_mmu, helper_le_stq_mmu,
    helper_be_stw_mmu, helper_be_stl_mmu, helper_be_stq_mmu,
)  # fmt: skip
