"""The software TLB: which stores may go straight to memory, and quick page-table walks.

QEMU keeps translated code coherent by sending each store to a page that holds some through a slow path
(TLB_NOTDIRTY). Unicorn sends all stores there that go to executable mappings, and none that go to the same
page by a mapping that is not executable, once the first was seen. Here instead every engine knows which pages
of DRAM hold code it has translated: stores to those are slow by whatever mapping they come, as are those to
pages that the kernel may not write. All others are not.

These functions take the place of QEMU's of the same name (accel/tcg/cputlb.c, translate-all.c and
target/i386/helper.c of QEMU 5.0.1) in all of libunicorn's calls: see `linkage`. For a CPU that is not one of
ours they do what QEMU's do.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV, CPU_OPAQUE, UC_CPU
from mksim.engine.entry import entry
from mksim.engine.qemu import pointer
from mksim.engine.records import PLACE, PLACES, engine_at, engine_of
from mksim.fabric.ownership import Rights
from mksim.spec.memmap import PAGE, PAGE_SHIFT

_TABLES = -64
"""From env: CPUTLBDescFast of each MMU mode, {mask, table}."""
_ENTRY_SHIFT = 6
_READ, _WRITE, _PHYSICAL, _ADDEND = 0, 1, 3, 4
"""Words of an entry: addr_read, addr_write, addr_code, paddr, addend."""
_NOTDIRTY = 0x400
_FLAGS = PAGE - 1
_PAGE_WRITE = 2
_R, _W = int(Rights.R), int(Rights.W)


@native
def entry_of(cpu: int, mode: int, address: int) -> np.ndarray:
    """Return the words of the TLB entry that a virtual address has in an MMU mode."""
    fast = carray(pointer(cpu + CPU_ENV + _TABLES + 16 * mode), 2, np.int64)
    index = (address >> PAGE_SHIFT) & (fast[0] >> _ENTRY_SHIFT)
    return carray(pointer(fast[1] + (index << _ENTRY_SHIFT)), 8, np.int64)


@native
def page_at(engine: np.void, host: int) -> int:
    """Return the page of DRAM that a host address is in; -1 if it is in none."""
    offset = host - engine["memory"]
    return offset >> PAGE_SHIFT if 0 <= offset < engine["memory_size"] else -1


@native
def code_pages(engine: np.void) -> np.ndarray:
    """Return a byte for each page of DRAM: 1 if the engine has translated code of it."""
    return carray(pointer(engine["code_pages"]), engine["memory_size"] >> PAGE_SHIFT, np.uint8)


@native
def direct(engine: np.void, address: int, size: int, right: int) -> int:
    """Return the host address of physical memory that the kernel may use so, as directly mapped; else 0."""
    if not 0 <= address <= engine["memory_size"] - size:
        return 0
    rights = carray(pointer(engine["direct"]), engine["memory_size"] >> PAGE_SHIFT, np.uint8)
    return engine["memory"] + address if rights[address >> PAGE_SHIFT] & right != 0 else 0


@native
def takes_stores(engine: np.void, page: int) -> bool:
    """Tell whether stores to a page need nobody's look: it holds no code, and the kernel may write it."""
    return page >= 0 and code_pages(engine)[page] == 0 and direct(engine, page << PAGE_SHIFT, 1, _W) != 0


@native
def engine_on(cpu: int) -> int:
    """Return the address of the ENGINE record of a CPU; 0 if it is not one of ours."""
    return carray(pointer(cpu + CPU_OPAQUE), 1, np.int64)[0]


@native
def physical_at(cpu: int, address: int) -> np.int64:
    """Return the physical address that an address has in the TLB; -1 if its page is not there."""
    for mode in range(3):
        entry = entry_of(cpu, mode, address)
        if address & -PAGE in (entry[_READ] & -PAGE, entry[_WRITE] & -PAGE):
            return entry[_PHYSICAL] & -PAGE | address & PAGE - 1
    return np.int64(-1)


@entry(types.void(types.int64, types.int64, types.int64, types.int32, types.int32, types.int32, types.int64))
def tlb_set_page_with_attrs(
    cpu: int, address: int, physical: int, attributes: int, rights: int, mode: int, size: int
) -> None:
    """Fill an entry; stores through it are slow only if its page holds code.

    The entry that a load fills is for stores as well, and Unicorn looks for the mapping's own rights in the
    slow path only.
    """
    ours = engine_on(cpu)
    if ours != 0:
        engine_at(ours)["filling"] = physical & -PAGE
    qemu.tlb_set_page_with_attrs(cpu, address, physical, attributes, rights, mode, size)
    if ours == 0 or rights & _PAGE_WRITE == 0:
        return
    entry = entry_of(cpu, mode, address)
    if entry[_WRITE] & _FLAGS != _NOTDIRTY:
        return
    engine = engine_at(ours)
    page = page_at(engine, entry[_WRITE] - _NOTDIRTY + entry[_ADDEND])
    if takes_stores(engine, page):
        entry[_WRITE] -= _NOTDIRTY


@entry(types.void(types.int64, types.int64))
def tlb_set_dirty(cpu: int, address: int) -> None:
    """After a slow store: make the next ones fast, unless the page still holds code."""
    ours = engine_on(cpu)
    if ours != 0:
        engine = engine_at(ours)
        for mode in range(3):
            entry = entry_of(cpu, mode, address)
            if entry[_WRITE] == (address & -PAGE) | _NOTDIRTY:
                page = page_at(engine, entry[_WRITE] - _NOTDIRTY + entry[_ADDEND])
                if page < 0 or code_pages(engine)[page] != 0:
                    return
    qemu.tlb_set_dirty(cpu, address)


@entry(types.void(types.int64, types.int64))
def tlb_protect_code(uc: int, ram_address: int) -> None:
    """A page has its first translated block: stores to it are slow from now on, by every mapping."""
    cpu = carray(pointer(uc + UC_CPU), 1, np.int64)[0]
    ours = engine_on(cpu)
    qemu.tlb_protect_code(uc, ram_address)
    if ours == 0:
        return
    engine = engine_at(ours)
    host = qemu.qemu_map_ram_ptr(uc, 0, ram_address) & -PAGE
    page = page_at(engine, host)
    if page >= 0 and code_pages(engine)[page] == 0:
        code_pages(engine)[page] = 1
        engine["pages_of_code"] += 1
        qemu.tlb_reset_dirty(cpu, host, PAGE)


@entry(types.void(types.int64, types.int64, types.int64))
def tlb_reset_dirty_by_vaddr(cpu: int, address: int, size: int) -> None:
    """A block was translated. Unicorn's way to make stores to it slow; ours is `tlb_protect_code`."""
    if engine_on(cpu) == 0:
        qemu.tlb_reset_dirty_by_vaddr(cpu, address, size)


@entry(types.void(types.int64, types.int64))
def tlb_unprotect_code(uc: int, ram_address: int) -> None:
    """A page has lost its last translated block, or had none: its RAM address may be one that is gone."""
    ours = engine_on(carray(pointer(uc + UC_CPU), 1, np.int64)[0])
    if ours == 0 or engine_at(ours)["pages_of_code"] == 0:
        return
    engine = engine_at(ours)
    page = page_at(engine, qemu.qemu_map_ram_ptr(uc, 0, ram_address))
    if page >= 0 and code_pages(engine)[page] != 0:
        code_pages(engine)[page] = 0
        engine["pages_of_code"] -= 1


@entry(types.uint64(types.int64, types.int64))
def x86_ldq_phys(cpu: int, address: int) -> int:
    """Load an entry of a page table."""
    ours = engine_on(cpu)
    host = 0 if ours == 0 else direct(engine_at(ours), address, 8, _R)
    if host != 0:
        return carray(pointer(host), 1, np.uint64)[0]
    return qemu.x86_ldq_phys(cpu, address)


@entry(types.void(types.int64, types.int64, types.uint32))
def x86_stl_phys_notdirty(cpu: int, address: int, value: int) -> None:
    """Store an entry of a page table: its accessed and dirty bits."""
    ours = engine_on(cpu)
    host = 0 if ours == 0 else direct(engine_at(ours), address, 4, _W)
    if host != 0:
        carray(pointer(host), 1, np.uint32)[0] = value
    elif ours == 0 or direct(engine_at(ours), address, 4, _R) == 0:
        qemu.x86_stl_phys_notdirty(cpu, address, value)
    # else the table lies where the kernel may only read: it gets no such bits


@native
def drop_code(engine: np.void, host: int, size: int) -> None:
    """Drop what was translated from bytes of DRAM at a host address; QEMU counts by its own RAM addresses."""
    pages = code_pages(engine)
    if pages[page_at(engine, host)] == 0 and pages[page_at(engine, host + size - 1)] == 0:
        return
    begin = qemu.qemu_ram_addr_from_host(engine["uc"], host)
    if begin >= 0:  # what an engine does not map itself has no RAM address; it has run as a page of its own
        qemu.tb_invalidate_phys_range(np.uint64(engine["uc"]), np.uint64(begin), np.uint64(begin + size))


@native
def drop_everywhere(machine: np.void, host: int, size: int) -> None:
    """Drop what any engine has translated from bytes of DRAM at a host address."""
    for index in range(machine["n_engines"]):
        drop_code(engine_of(machine, index), host, size)


@native
def forget_code(engine: np.void) -> None:
    """All translated blocks are gone."""
    code_pages(engine)[:] = 0
    engine["pages_of_code"] = 0
    places = carray(pointer(engine["rips"]), PLACES, PLACE)
    for number in range(PLACES):
        places[number]["code"] = 0


@entry(types.void(types.int64))
def tb_flush(cpu: int) -> None:
    """Drop all translated blocks."""
    qemu.tb_flush(np.uint64(cpu))
    ours = engine_on(cpu)
    if ours != 0:
        forget_code(engine_at(ours))


FUNCTIONS = (
    tlb_set_page_with_attrs, tlb_set_dirty, tlb_protect_code, tlb_unprotect_code, tlb_reset_dirty_by_vaddr,
    tb_flush, x86_ldq_phys, x86_stl_phys_notdirty,
)  # fmt: skip
