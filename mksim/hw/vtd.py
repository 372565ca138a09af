"""Intel VT-d, a unit of remapping hardware: Architecture Specification, revision 3.3, D51397-013; § is of it.

Here are its registers. `vtd_walk` walks tables, `vtd_interrupts` remaps interrupts, `vtd_queue` invalidates
what `vtd_caches` remembers. What is left out stands in `mksim.spec.vtd`.

All arguments are int64; registers are read and written in words of 32 bits.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw import vtd_caches as caches
from mksim.hw import vtd_queue as queue
from mksim.hw.vtd_core import VTD, release, settle_faults, wide_register
from mksim.spec import vtd as spec

__all__ = ["VTD", "read", "reset", "write"]

_LOW = 0xFFFFFFFF
_GSTS, _IQH, _IQT = spec.GSTS_REG >> 2, spec.IQH_REG >> 2, spec.IQT_REG >> 2


@native
def reset(u: np.void) -> None:
    """Power on: nothing is translated or remapped, events are masked. `remapping` stays."""
    u["words"][:] = 0
    u["root"] = u["interrupts"] = u["entries"] = u["wide"] = 0
    u["next_fault"] = u["events"] = u["reason"] = u["fault_info"] = u["walks"] = 0
    u["status_address"] = u["status_data"] = 0
    u["words"][spec.FECTL_REG >> 2] = u["words"][spec.IECTL_REG >> 2] = spec.EVENT_MASKED
    caches.clear(u)


@native
def read(u: np.void, offset: int) -> int:
    """Read 32 bits at a multiple of 4; nothing is behind the last register."""
    if offset == spec.VER_REG:
        return spec.VERSION
    if offset & ~4 == spec.CAP_REG:
        return spec.CAPABILITIES >> (8 * (offset & 4)) & _LOW
    if offset & ~4 == spec.ECAP_REG:
        extended = spec.EXTENDED | (spec.EXTENDED_REMAPPING if u["remapping"] else 0)
        return extended >> (8 * (offset & 4)) & _LOW
    return u["words"][offset >> 2] if 0 <= offset < spec.REGISTERS_END else np.int64(0)  # type: ignore[return-value]


@native
def write(u: np.void, offset: int, value: int) -> None:
    """Write 32 bits at a multiple of 4. The queue may have work then, and events be out."""
    value &= _LOW
    if not 0 <= offset < spec.REGISTERS_END:
        return
    if offset >= spec.FRCD_REG:
        _write_record(u, offset, value)
    elif offset == spec.GCMD_REG:
        _command(u, value)
    elif offset in (spec.FSTS_REG, spec.ICS_REG):
        _clear_status(u, offset, value)
    elif offset in (spec.FECTL_REG, spec.IECTL_REG):
        pending = u["words"][offset >> 2] & spec.EVENT_PENDING
        u["words"][offset >> 2] = value & spec.EVENT_MASKED | pending
        release(u)
    elif offset == spec.IQT_REG:
        u["words"][_IQT] = value & spec.QUEUE_POINTER
    else:
        _write_plain(u, offset, value)


@native
def _write_plain(u: np.void, offset: int, value: int) -> None:
    """Write a word that holds what software says; the upper halves of two of them may be commands."""
    if offset in (spec.CCMD_REG + 4, spec.IOTLB_REG + 4) or offset in spec.PLAIN:
        u["words"][offset >> 2] = value
    if offset == spec.CCMD_REG + 4 and value & spec.ICC:
        queue.command_contexts(u)
    if offset == spec.IOTLB_REG + 4 and value & spec.IVT:
        queue.command_pages(u)


@native
def _command(u: np.void, value: int) -> None:
    """Do what GCMD_REG says; all is done at once, and GSTS_REG says so (§ 10.4.4, 10.4.5)."""
    kept = spec.KEPT if u["remapping"] else spec.KEPT & ~(spec.IRE | spec.CFI)
    before = u["words"][_GSTS]
    status = before & ~kept | value & kept
    if value & spec.SRTP:
        u["root"] = wide_register(u, spec.RTADDR_REG) & spec.ADDRESS
        status |= spec.SRTP
    if value & spec.SIRTP and u["remapping"]:
        table = wide_register(u, spec.IRTA_REG)
        u["interrupts"], u["entries"] = table & spec.ADDRESS, 2 << (table & spec.TABLE_SIZE)
        u["wide"] = 1 if table & spec.EIME else 0
        status |= spec.SIRTP
    if (before ^ status) & spec.QIE:
        u["words"][_IQH] = 0
    u["words"][_GSTS] = status


@native
def _clear_status(u: np.void, offset: int, value: int) -> None:
    """Write ones to a status register; what is gone need not be told of any more."""
    if offset == spec.FSTS_REG:
        u["words"][offset >> 2] &= ~(value & spec.FSTS_CLEARED)
        settle_faults(u)
    elif value & spec.IWC:
        u["words"][offset >> 2] = 0
        u["words"][spec.IECTL_REG >> 2] &= ~spec.EVENT_PENDING


@native
def _write_record(u: np.void, offset: int, value: int) -> None:
    """Clear a fault record by writing a one to its F (§ 10.4.14)."""
    if offset & 0xC == 0xC and value & spec.F_FAULT:
        u["words"][offset >> 2] &= ~spec.F_FAULT
        settle_faults(u)
