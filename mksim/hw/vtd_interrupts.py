"""Intel VT-d: interrupt remapping. Revision 3.3, § 5 and 9.10.

A device or an I/O APIC names an entry of a table; what is sent is what stands there, if the entry is for who
asks. All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw import vtd_caches as caches
from mksim.hw.vtd_core import fault, on
from mksim.hw.vtd_walk import fetch, reachable
from mksim.spec import vtd as spec
from mksim.spec import vtd_tables as tables
from mksim.spec.apic import BROADCAST, BROADCAST_XAPIC

BLOCKED, AS_IT_IS = -1, -2
_LEVEL_SHIFT, _LOGICAL_SHIFT, _MODE_SHIFT, DESTINATION_SHIFT = 15, 11, 8, 16
_SUB_HANDLE = 0xFFFF


@native
def remap_message(
    u: np.void, memory: np.ndarray, readable: np.ndarray, source: int, address: int, data: int
) -> int:
    """Return what a message of a device's becomes: BLOCKED, AS_IT_IS, or else as `accepted` has it."""
    if not on(u, spec.IRE):
        return np.int64(AS_IT_IS)  # type: ignore[return-value]
    if not address & tables.MSI_REMAPPABLE:
        return compatibility(u, source)
    index = address >> tables.MSI_HANDLE_SHIFT & 0x7FFF
    index |= 1 << 15 if address & tables.MSI_HANDLE_15 else 0
    if address & tables.MSI_SHV:
        if data >> 16:
            return block(u, tables.REQUEST_RESERVED_SET, source, index, False)
        index += data & _SUB_HANDLE
    return look_up(u, memory, readable, source, index)


@native
def remap_pin(u: np.void, memory: np.ndarray, readable: np.ndarray, source: int, entry: int) -> int:
    """Return what the message of a redirection table entry becomes: as of `remap_message`."""
    if not on(u, spec.IRE):
        return np.int64(AS_IT_IS)  # type: ignore[return-value]
    if not entry & tables.RTE_REMAPPABLE:
        return compatibility(u, source)
    index = entry >> tables.RTE_HANDLE_SHIFT & 0x7FFF
    index |= 1 << 15 if entry & tables.RTE_HANDLE_15 else 0
    return look_up(u, memory, readable, source, index)


@native
def compatibility(u: np.void, source: int) -> int:
    """Answer a request that names a core: it passes if software lets it, and only in xAPIC mode (§ 5.1.4)."""
    if on(u, spec.CFI) and u["wide"] == 0:
        return np.int64(AS_IT_IS)  # type: ignore[return-value]
    return block(u, tables.COMPATIBILITY_BLOCKED, source, np.int64(0), False)


@native
def block(u: np.void, reason: int, source: int, index: int, silent: bool) -> int:
    """Record why a request is blocked."""
    fault(u, reason, source, index << 48, False, silent)
    return np.int64(BLOCKED)  # type: ignore[return-value]


@native
def look_up(u: np.void, memory: np.ndarray, readable: np.ndarray, source: int, index: int) -> int:
    """Return what the interrupt of an index becomes; the entry is remembered."""
    slot = caches.interrupt_slot(u, index)
    if slot < 0:
        where = u["interrupts"] + tables.ENTRY * index
        if index >= u["entries"]:
            return block(u, tables.BEYOND_TABLE, source, index, False)
        if not reachable(memory, readable, where):
            return block(u, tables.IRTE_UNREACHABLE, source, index, False)
        low, high = fetch(memory, where), fetch(memory, where + 8)
        reason = wrong_interrupt(u, low, high)
        if reason != 0:
            return block(u, reason, source, index, low & tables.FPD != 0)
        caches.keep_interrupt(u, index, low, high)
        slot = caches.interrupt_slot(u, index)
    low, high = u["interrupt_low"][slot], u["interrupt_high"][slot]
    if not is_from(high, source):
        return block(u, tables.SOURCE_REFUSED, source, index, low & tables.FPD != 0)
    return accepted(u, low)


@native
def wrong_interrupt(u: np.void, low: int, high: int) -> int:
    """Return what is wrong with an interrupt entry, 0 if nothing is. Posted format is reserved."""
    if not low & tables.PRESENT:
        return tables.IRTE_ABSENT
    narrow = 0 if u["wide"] else tables.IRTE_XAPIC_RESERVED
    reserved = low & tables.IRTE_RESERVED or low >> tables.DST_SHIFT & narrow
    mode, check = low >> tables.DLM_SHIFT & 7, high >> tables.SVT_SHIFT & 3
    if reserved or high & tables.IRTE_HIGH_RESERVED or mode in (3, 6) or check == 3:
        return tables.IRTE_RESERVED_SET
    return 0


@native
def is_from(high: int, source: int) -> bool:
    """Tell whether an entry is for a source: for all, for one, or for a range of buses."""
    check, sid = high >> tables.SVT_SHIFT & 3, high & 0xFFFF
    if check == 1:
        counted = ~caches.ignored(high >> tables.SQ_SHIFT & 3)
        return (source ^ sid) & counted == 0
    if check == 2:
        return sid >> 8 <= source >> 8 <= sid & 0xFF
    return True


@native
def accepted(u: np.void, low: int) -> int:
    """Return an entry's interrupt: destination << 16, below it the bits of a redirection table entry."""
    destination = low >> tables.DST_SHIFT & 0xFFFFFFFF
    if u["wide"] == 0:
        destination = destination >> 8 & 0xFF
        if destination == BROADCAST_XAPIC:
            return BROADCAST << DESTINATION_SHIFT | _message(low)
    return destination << DESTINATION_SHIFT | _message(low)


@native
def _message(low: int) -> int:
    entry = low >> tables.VECTOR_SHIFT & 0xFF | (low >> tables.DLM_SHIFT & 7) << _MODE_SHIFT
    entry |= 1 << _LOGICAL_SHIFT if low & tables.DM else 0
    return entry | (1 << _LEVEL_SHIFT if low & tables.TM_LEVEL else 0)
