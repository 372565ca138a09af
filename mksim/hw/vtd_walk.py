"""Intel VT-d: a DMA request's way through root, context and second-level tables. Revision 3.3, § 3 and 9.

`memory` is DRAM in words of 64 bits; `readable` has a byte for each page, whose bit 0 says that the unit may
read its tables there: they are its owner's. All arguments are int64.
"""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.hw import vtd_caches as caches
from mksim.hw.vtd_core import fault, on
from mksim.spec import vtd as spec
from mksim.spec import vtd_tables as tables
from mksim.spec.memmap import HIGH_DRAM, LOW_DRAM_END, PAGE_SHIFT

REFUSED = -1
BEYOND = (1 << 63) - 1
"""Where an address of 2^63 or more leads that no tables are for: no memory either, and not below zero."""


@native
def reachable(memory: np.ndarray, readable: np.ndarray, address: int) -> bool:
    """Tell whether an entry of a table can be read: it is DRAM, and the owner's."""
    if address < 0 or address > 8 * len(memory) - 8 or LOW_DRAM_END <= address < HIGH_DRAM:
        return False
    return readable[address >> PAGE_SHIFT] & 1 != 0


@native
def fetch(memory: np.ndarray, address: int) -> int:
    """Return 64 bits, signed."""
    return np.int64(memory[address >> 3])  # type: ignore[return-value]


@native
def untranslated(address: int) -> int:
    """Return where a request goes that no tables are for."""
    return address if address >= 0 else np.int64(BEYOND)  # type: ignore[return-value]


@native
def translate(
    u: np.void, memory: np.ndarray, readable: np.ndarray, source: int, address: int, write: bool
) -> int:
    """Return where in memory a request goes; REFUSED with a fault if nowhere. A page has one answer."""
    if not on(u, spec.TE):
        return untranslated(address)
    slot = caches.context_slot(u, source)
    if slot < 0:
        slot = read_context(u, memory, readable, source, address, write)
        if slot < 0:
            return np.int64(REFUSED)  # type: ignore[return-value]
    low, high = u["context_low"][slot], u["context_high"][slot]
    silent = low & tables.FPD != 0
    width = 39 if high & tables.AW == tables.AW_39 else 48
    if address >> width != 0:
        fault(u, tables.BEYOND_WIDTH, source, address, not write, silent)
        return np.int64(REFUSED)  # type: ignore[return-value]
    if low >> tables.TYPE_SHIFT & tables.TYPE == tables.PASSED:
        return address
    domain = high >> tables.DID_SHIFT & tables.DID
    page = caches.page_found(u, domain, address)
    if page < 0:
        page = walk(u, memory, readable, source, address, write, low, high)
    elif u["page_rights"][page] & needs(write) == 0:
        fault(u, tables.NOT_WRITABLE if write else tables.NOT_READABLE, source, address, not write, silent)
        page = REFUSED
    if page < 0:
        return np.int64(REFUSED)  # type: ignore[return-value]
    inside = (1 << caches.page_shift(page // caches.TRANSLATIONS)) - 1
    return u["page_frame"][page] | address & inside


@native
def needs(write: bool) -> int:
    """Return the right that a request needs."""
    return tables.WRITE if write else tables.READ


@native
def read_context(
    u: np.void, memory: np.ndarray, readable: np.ndarray, source: int, address: int, write: bool
) -> int:
    """Read and remember the context of a source; return where, -1 with a fault if it has none."""
    reason, low, high = find_context(u, memory, readable, source)
    if reason == 0:
        caches.keep_context(u, source, low, high)
        return caches.context_slot(u, source)
    silent = low & tables.FPD != 0
    fault(u, reason, source, address, not write, silent)
    return np.int64(REFUSED)  # type: ignore[return-value]


@native
def find_context(u: np.void, memory: np.ndarray, readable: np.ndarray, source: int) -> tuple[int, int, int]:
    """Return why a source has no context, or 0 and its entry (§ 3.4.3, 7.1.3)."""
    nothing: Any = np.int64(0)
    where = u["root"] + tables.ENTRY * (source >> 8)
    if not reachable(memory, readable, where):
        return tables.ROOT_UNREACHABLE, nothing, nothing
    root = fetch(memory, where)
    if not root & tables.PRESENT:
        return tables.ROOT_ABSENT, nothing, nothing
    if root & tables.ROOT_RESERVED or fetch(memory, where + 8) != 0:
        return tables.ROOT_RESERVED_SET, nothing, nothing
    where = (root & tables.FRAME) + tables.ENTRY * (source & 0xFF)
    if not reachable(memory, readable, where):
        return tables.CONTEXT_UNREACHABLE, nothing, nothing
    low, high = fetch(memory, where), fetch(memory, where + 8)
    return wrong_context(low, high), low, high


@native
def wrong_context(low: int, high: int) -> int:
    """Return what is wrong with a context entry, 0 if nothing is."""
    if not low & tables.PRESENT:
        return tables.CONTEXT_ABSENT
    if low & tables.CONTEXT_RESERVED or high & tables.CONTEXT_HIGH_RESERVED:
        return tables.CONTEXT_RESERVED_SET
    kind, width = low >> tables.TYPE_SHIFT & tables.TYPE, high & tables.AW
    if kind not in (tables.TRANSLATED, tables.PASSED) or width not in (tables.AW_39, tables.AW_48):
        return tables.CONTEXT_INVALID
    if kind == tables.PASSED and width != tables.AW_48:
        return tables.CONTEXT_INVALID  # "AW must be programmed to indicate the largest AGAW", § 9.3
    return 0


@native
def walk(
    u: np.void,
    memory: np.ndarray,
    readable: np.ndarray,
    source: int,
    address: int,
    write: bool,
    low: int,
    high: int,
) -> int:
    """Walk the page tables of a context and remember the translation; return where, -1 with a fault."""
    u["walks"] += 1
    level = 2 if high & tables.AW == tables.AW_39 else 3
    table, rights, reason = low & tables.FRAME, tables.READ | tables.WRITE, 0
    while reason == 0:
        shift = caches.page_shift(level)
        where = table + 8 * (address >> shift & 0x1FF)
        if not reachable(memory, readable, where):
            reason = tables.TABLE_UNREACHABLE
            break
        entry = fetch(memory, where)
        rights &= entry
        reason = wrong_entry(entry, level, write)
        table = entry & tables.FRAME
        if reason == 0 and (level == 0 or entry & tables.LARGE):
            domain = high >> tables.DID_SHIFT & tables.DID
            caches.keep_page(u, domain, level, address, table, rights)
            return caches.page_slot(level, address)
        level -= 1
    fault(u, reason, source, address, not write, low & tables.FPD != 0)
    return np.int64(REFUSED)  # type: ignore[return-value]


@native
def wrong_entry(entry: int, level: int, write: bool) -> int:
    """Return why an entry of a page table ends a walk with a fault, 0 if it does not (§ 9.8)."""
    if entry & (tables.READ | tables.WRITE):
        reserved = tables.SECOND_RESERVED
        if entry & tables.LARGE and level > 0:
            reserved |= (1 << caches.page_shift(level)) - (1 << tables.PAGE_BITS)
            if level == 3:
                reserved |= tables.LARGE
        if entry & reserved:
            return tables.TABLE_RESERVED_SET
    if entry & needs(write) == 0:
        return tables.NOT_WRITABLE if write else tables.NOT_READABLE
    return 0
