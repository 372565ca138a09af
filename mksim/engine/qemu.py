"""The door between Numba and libunicorn: addresses as records, and the functions the wheel exports.

QEMU's own functions are in the released wheel under the suffix `_x86_64`. Natively compiled code may call
them, and may be left by their longjmp; a Python callback must never do either.
"""

from typing import Any

import llvmlite.binding as llvm
from numba import types
from numba.extending import intrinsic
from unicorn.unicorn_py3.unicorn import uclib

llvm.load_library_permanently(uclib._name)


def address_of(function: str) -> int:
    """Return the address of a function of libunicorn's."""
    return int(llvm.address_of_symbol(function))


_address, _i32, _i64, _u64, _void = types.uintp, types.int32, types.int64, types.uint64, types.void


@intrinsic
def pointer(_typing: Any, address: Any) -> Any:
    """Turn an integer address into a void pointer, for `carray(pointer(a), 1, DTYPE)`."""

    def code(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _context.get_value_type(signature.return_type))

    return types.voidptr(types.int64), code


# Unicorn's API (unicorn.h)
uc_emu_stop = types.ExternalFunction("uc_emu_stop", _i32(_address))
uc_reg_read = types.ExternalFunction("uc_reg_read", _i32(_address, _i32, _address))

# The C library
msync = types.ExternalFunction("msync", _i32(_u64, _u64, _i32))

# QEMU 5.0.1: accel/tcg and target/i386
cpu_exec = types.ExternalFunction("cpu_exec_x86_64", _i32(_address, _address))
x86_cpu_do_interrupt = types.ExternalFunction("x86_cpu_do_interrupt_x86_64", _void(_address))
do_interrupt_x86_hardirq = types.ExternalFunction(
    "do_interrupt_x86_hardirq_x86_64", _void(_address, _i32, _i32)
)
raise_exception_err_ra = types.ExternalFunction(
    "raise_exception_err_ra_x86_64", _void(_address, _i32, _i32, _address)
)
cpu_loop_exit_noexc = types.ExternalFunction("cpu_loop_exit_noexc_x86_64", _void(_address))
helper_iret_protected = types.ExternalFunction("helper_iret_protected_x86_64", _void(_i64, _i32, _i32))
helper_rdmsr = types.ExternalFunction("helper_rdmsr_x86_64", _void(_i64))
helper_wrmsr = types.ExternalFunction("helper_wrmsr_x86_64", _void(_i64))
helper_ltr = types.ExternalFunction("helper_ltr_x86_64", _void(_i64, _i32))
helper_pause = types.ExternalFunction("helper_pause_x86_64", _void(_i64, _i32))
helper_write_crN = types.ExternalFunction("helper_write_crN_x86_64", _void(_i64, _i32, _i64))  # noqa: N816
helper_read_crN = types.ExternalFunction("helper_read_crN_x86_64", _i64(_i64, _i32))  # noqa: N816
helper_get_dr = types.ExternalFunction("helper_get_dr_x86_64", _i64(_i64, _i32))
helper_set_dr = types.ExternalFunction("helper_set_dr_x86_64", _void(_i64, _i32, _i64))
helper_hlt = types.ExternalFunction("helper_hlt_x86_64", _void(_i64, _i32))
cpu_restore_state = types.ExternalFunction(
    "cpu_restore_state_x86_64", types.uint8(_address, _address, types.boolean)
)
cpu_memory_rw_debug = types.ExternalFunction(
    "cpu_memory_rw_debug_x86_64", _i32(_address, _u64, _address, _address, types.boolean)
)
tlb_set_page_with_attrs = types.ExternalFunction(
    "tlb_set_page_with_attrs_x86_64", _void(_i64, _i64, _i64, _i32, _i32, _i32, _i64)
)
tlb_set_dirty = types.ExternalFunction("tlb_set_dirty_x86_64", _void(_i64, _i64))
tlb_protect_code = types.ExternalFunction("tlb_protect_code_x86_64", _void(_i64, _i64))
tb_gen_code = types.ExternalFunction("tb_gen_code_x86_64", _i64(_i64, _i64, _i64, types.uint32, _i32))
tlb_reset_dirty_by_vaddr = types.ExternalFunction("tlb_reset_dirty_by_vaddr_x86_64", _void(_i64, _i64, _i64))
tlb_reset_dirty = types.ExternalFunction("tlb_reset_dirty_x86_64", _void(_i64, _i64, _i64))
qemu_map_ram_ptr = types.ExternalFunction("qemu_map_ram_ptr_x86_64", _i64(_i64, _i64, _i64))
qemu_ram_addr_from_host = types.ExternalFunction("qemu_ram_addr_from_host_x86_64", _i64(_i64, _i64))
x86_ldq_phys = types.ExternalFunction("x86_ldq_phys_x86_64", _u64(_i64, _i64))
x86_ldl_phys = types.ExternalFunction("x86_ldl_phys_x86_64", types.uint32(_i64, _i64))
x86_stl_phys = types.ExternalFunction("x86_stl_phys_x86_64", _void(_i64, _i64, types.uint32))
x86_stl_phys_notdirty = types.ExternalFunction(
    "x86_stl_phys_notdirty_x86_64", _void(_i64, _i64, types.uint32)
)
_slow_load = _u64(_i64, _i64, types.uint32, _i64)
_slow_store = _void(_i64, _i64, types.uint32, types.uint32, _i64)
_slow_store_64 = _void(_i64, _i64, _u64, types.uint32, _i64)
helper_ret_ldub_mmu = types.ExternalFunction("helper_ret_ldub_mmu_x86_64", _slow_load)
helper_le_lduw_mmu = types.ExternalFunction("helper_le_lduw_mmu_x86_64", _slow_load)
helper_le_ldul_mmu = types.ExternalFunction("helper_le_ldul_mmu_x86_64", _slow_load)
helper_le_ldq_mmu = types.ExternalFunction("helper_le_ldq_mmu_x86_64", _slow_load)
helper_be_lduw_mmu = types.ExternalFunction("helper_be_lduw_mmu_x86_64", _slow_load)
helper_be_ldul_mmu = types.ExternalFunction("helper_be_ldul_mmu_x86_64", _slow_load)
helper_be_ldq_mmu = types.ExternalFunction("helper_be_ldq_mmu_x86_64", _slow_load)
helper_ret_stb_mmu = types.ExternalFunction("helper_ret_stb_mmu_x86_64", _slow_store)
helper_le_stw_mmu = types.ExternalFunction("helper_le_stw_mmu_x86_64", _slow_store)
helper_le_stl_mmu = types.ExternalFunction("helper_le_stl_mmu_x86_64", _slow_store)
helper_le_stq_mmu = types.ExternalFunction("helper_le_stq_mmu_x86_64", _slow_store_64)
helper_be_stw_mmu = types.ExternalFunction("helper_be_stw_mmu_x86_64", _slow_store)
helper_be_stl_mmu = types.ExternalFunction("helper_be_stl_mmu_x86_64", _slow_store)
helper_be_stq_mmu = types.ExternalFunction("helper_be_stq_mmu_x86_64", _slow_store_64)
_emit = _void(_i64, _i64, _i64, _i64, types.uint32)
tcg_gen_qemu_ld_i32 = types.ExternalFunction("tcg_gen_qemu_ld_i32_x86_64", _emit)
tcg_gen_qemu_ld_i64 = types.ExternalFunction("tcg_gen_qemu_ld_i64_x86_64", _emit)
tcg_gen_qemu_st_i32 = types.ExternalFunction("tcg_gen_qemu_st_i32_x86_64", _emit)
tcg_gen_qemu_st_i64 = types.ExternalFunction("tcg_gen_qemu_st_i64_x86_64", _emit)
cpu_loop_exit_restore = types.ExternalFunction("cpu_loop_exit_restore_x86_64", _void(_i64, _i64))
_load = _u64(_i64, _i64, _i32, _i64)
ldub = types.ExternalFunction("cpu_ldub_mmuidx_ra_x86_64", _load)
lduw = types.ExternalFunction("cpu_lduw_mmuidx_ra_x86_64", _load)
ldl = types.ExternalFunction("cpu_ldl_mmuidx_ra_x86_64", _load)
ldq = types.ExternalFunction("cpu_ldq_mmuidx_ra_x86_64", _load)
_store = _void(_i64, _i64, _u64, _i32, _i64)
stl = types.ExternalFunction("cpu_stl_mmuidx_ra_x86_64", _store)
stq = types.ExternalFunction("cpu_stq_mmuidx_ra_x86_64", _store)
cpu_x86_update_dr7 = types.ExternalFunction("cpu_x86_update_dr7_x86_64", _void(_i64, types.uint32))
cpu_cc_compute_all = types.ExternalFunction("cpu_cc_compute_all_x86_64", types.uint32(_i64, _i32))
tcg_tb_lookup = types.ExternalFunction("tcg_tb_lookup_x86_64", _i64(_i64, _i64))
tlb_flush_page = types.ExternalFunction("tlb_flush_page_x86_64", _void(_i64, _i64))
tlb_flush = types.ExternalFunction("tlb_flush_x86_64", _void(_address))
tb_flush = types.ExternalFunction("tb_flush_x86_64", _void(_address))
tb_invalidate_phys_range = types.ExternalFunction(
    "tb_invalidate_phys_range_x86_64", _void(_address, _u64, _u64)
)
x86_cpu_get_phys_page_attrs_debug = types.ExternalFunction(
    "x86_cpu_get_phys_page_attrs_debug_x86_64", _u64(_address, _u64, _address)
)
