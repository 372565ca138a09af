"""Memory as QEMU's own code sees it: delivery of interrupts, IRET, descriptors, the intercept tables.

What translated code does at a TLB hit takes two instructions; the same from a helper goes through QEMU's slow
path, where Unicorn looks for hooks and for the region behind the address. These functions take the place of
QEMU's of the same name (accel/tcg/cputlb.c and target/i386/helper.c of QEMU 5.0.1) in libunicorn's calls, see
`linkage`: at a plain hit they do the access, everything else they leave to QEMU.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV, VMCB
from mksim.engine.entry import entry
from mksim.engine.qemu import pointer
from mksim.engine.records import engine_at
from mksim.engine.softmmu import direct, engine_on, entry_of
from mksim.fabric.ownership import Rights
from mksim.spec.memmap import PAGE

READ, WRITE, PHYSICAL, _ADDEND = 0, 1, 3, 4
"""Words of an entry, as in `softmmu`."""
_R = int(Rights.R)
_LOAD = types.uint64(types.int64, types.int64, types.int32, types.int64)
_STORE = types.void(types.int64, types.int64, types.uint64, types.int32, types.int64)


@native
def at_hit(env: int, address: int, mode: int, size: int, word: int) -> int:
    """Return the host address of plain memory that the TLB has the page of; 0 if QEMU must look."""
    entry = entry_of(env - CPU_ENV, mode, address)
    plain = entry[word] == address & -PAGE and address & (PAGE - 1) <= PAGE - size
    return address + entry[_ADDEND] if plain else 0


@entry(_LOAD)
def cpu_ldub_mmuidx_ra(env: int, address: int, mode: int, code: int) -> int:
    """Load a byte."""
    host = at_hit(env, address, mode, 1, READ)
    return carray(pointer(host), 1, np.uint8)[0] if host != 0 else qemu.ldub(env, address, mode, code)


@entry(_LOAD)
def cpu_lduw_mmuidx_ra(env: int, address: int, mode: int, code: int) -> int:
    """Load two bytes."""
    host = at_hit(env, address, mode, 2, READ)
    return carray(pointer(host), 1, np.uint16)[0] if host != 0 else qemu.lduw(env, address, mode, code)


@entry(_LOAD)
def cpu_ldl_mmuidx_ra(env: int, address: int, mode: int, code: int) -> int:
    """Load four bytes."""
    host = at_hit(env, address, mode, 4, READ)
    return carray(pointer(host), 1, np.uint32)[0] if host != 0 else qemu.ldl(env, address, mode, code)


@entry(_LOAD)
def cpu_ldq_mmuidx_ra(env: int, address: int, mode: int, code: int) -> int:
    """Load eight bytes."""
    host = at_hit(env, address, mode, 8, READ)
    return carray(pointer(host), 1, np.uint64)[0] if host != 0 else qemu.ldq(env, address, mode, code)


@entry(_STORE)
def cpu_stl_mmuidx_ra(env: int, address: int, value: int, mode: int, code: int) -> None:
    """Store four bytes."""
    host = at_hit(env, address, mode, 4, WRITE)
    if host != 0:
        carray(pointer(host), 1, np.uint32)[0] = np.uint32(value)
    else:
        qemu.stl(env, address, value, mode, code)


@entry(_STORE)
def cpu_stq_mmuidx_ra(env: int, address: int, value: int, mode: int, code: int) -> None:
    """Store eight bytes."""
    host = at_hit(env, address, mode, 8, WRITE)
    if host != 0:
        carray(pointer(host), 1, np.uint64)[0] = value
    else:
        qemu.stq(env, address, value, mode, code)


@entry(types.uint32(types.int64, types.int64))
def x86_ldl_phys(cpu: int, address: int) -> int:
    """Load an entry of a 32-bit page table, or EVENTINJ of the VMCB, which is never valid."""
    if engine_on(cpu) != 0:
        if address >= VMCB:
            return 0
        host = direct(engine_at(engine_on(cpu)), address, 4, _R)
        if host != 0:
            return carray(pointer(host), 1, np.uint32)[0]
    return qemu.x86_ldl_phys(cpu, address)


@entry(types.void(types.int64, types.int64, types.uint32))
def x86_stl_phys(cpu: int, address: int, value: int) -> None:
    """Note an event in the VMCB during its delivery: for nobody, as there is no hypervisor."""
    if engine_on(cpu) == 0 or address < VMCB:
        qemu.x86_stl_phys(cpu, address, value)


FUNCTIONS = (
    cpu_ldub_mmuidx_ra, cpu_lduw_mmuidx_ra, cpu_ldl_mmuidx_ra, cpu_ldq_mmuidx_ra,
    cpu_stl_mmuidx_ra, cpu_stq_mmuidx_ra, x86_ldl_phys, x86_stl_phys,
)  # fmt: skip
