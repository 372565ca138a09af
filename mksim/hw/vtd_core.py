"""Intel VT-d's state, and what it tells of itself: fault records, and events by message.

Architecture Specification, revision 3.3, order D51397-013; § is of it. All arguments are int64; registers are
words of 32 bits in int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import vtd as spec

CONTEXTS, TRANSLATIONS, INTERRUPTS = 256, 256, 256
"""Entries that each cache has; of translations so many for each size of page."""
LEVELS = 3
"""Sizes of pages."""

# fmt: off
VTD = np.dtype([
    ("words",           np.int64, spec.REGISTERS_END // 4),
    ("remapping",       np.int64),                              # 1: it remaps interrupts too
    ("root",            np.int64),                              # root table, as it was taken over
    ("interrupts",      np.int64),                              # interrupt remapping table, likewise
    ("entries",         np.int64),                              # of that
    ("wide",            np.int64),                              # 1: its destinations are 32 bits, EIME
    ("next_fault",      np.int64),                              # register for the next
    ("events",          np.int64),                              # messages to send: FAULT, INVALIDATION
    ("reason",          np.int64),                              # of the fault just met, recorded or not
    ("fault_info",      np.int64),                              # its address, or interrupt index << 48
    ("status_address",  np.int64),                              # what a wait descriptor wants written
    ("status_data",     np.int64),
    ("walks",           np.int64),                              # translations that no cache had
    ("context_source",  np.int64, CONTEXTS),                    # -1: none
    ("context_low",     np.int64, CONTEXTS),
    ("context_high",    np.int64, CONTEXTS),
    ("page_tag",        np.int64, LEVELS * TRANSLATIONS),       # domain << 40 | page; -1: none
    ("page_frame",      np.int64, LEVELS * TRANSLATIONS),
    ("page_rights",     np.int64, LEVELS * TRANSLATIONS),
    ("interrupt_index", np.int64, INTERRUPTS),                  # -1: none
    ("interrupt_low",   np.int64, INTERRUPTS),
    ("interrupt_high",  np.int64, INTERRUPTS),
])
# fmt: on

FAULT, INVALIDATION = 1, 2
_LOW = 0xFFFFFFFF
_FSTS, _FECTL, _ICS, _IECTL = spec.FSTS_REG >> 2, spec.FECTL_REG >> 2, spec.ICS_REG >> 2, spec.IECTL_REG >> 2
_STATUS = spec.PFO | spec.PPF | spec.IQE


@native
def wide_register(u: np.void, offset: int) -> int:
    """Return a register of 64 bits."""
    return u["words"][(offset >> 2) + 1] << 32 | u["words"][offset >> 2]


@native
def on(u: np.void, what: int) -> bool:
    """Tell whether what a bit of the global status says is on."""
    return u["words"][spec.GSTS_REG >> 2] & what != 0


@native
def fault(u: np.void, reason: int, source: int, info: int, read: bool, silent: bool) -> None:
    """Meet a fault; `silent` faults, which an entry's FPD asks for, leave no record (§ 7.2)."""
    u["reason"], u["fault_info"] = reason, info
    status = u["words"][_FSTS]
    if silent or status & spec.PFO:
        return
    word = (spec.FRCD_REG >> 2) + 4 * u["next_fault"]
    if u["words"][word + 3] & spec.F_FAULT:
        tell(u, spec.PFO)
        return
    u["words"][word], u["words"][word + 1] = info & spec.ADDRESS & _LOW, info >> 32 & _LOW
    u["words"][word + 2] = source & spec.F_SOURCE
    u["words"][word + 3] = spec.F_FAULT | (spec.F_READ if read else 0) | reason
    if not status & spec.PPF:
        u["words"][_FSTS] = status & ~(0xFF << spec.FRI_SHIFT) | u["next_fault"] << spec.FRI_SHIFT
    u["next_fault"] = (u["next_fault"] + 1) % spec.FAULTS
    tell(u, spec.PPF)


@native
def tell(u: np.void, what: int) -> None:
    """Set a bit of the fault status. The first one that is set is an event (§ 7.3)."""
    before = u["words"][_FSTS]
    u["words"][_FSTS] = before | what
    if not before & _STATUS:
        u["words"][_FECTL] |= spec.EVENT_PENDING
        release(u)


@native
def complete(u: np.void) -> None:
    """A wait descriptor asks for an event; none if the last one was not looked at (§ 6.5.2.8)."""
    if not u["words"][_ICS] & spec.IWC:
        u["words"][_ICS] |= spec.IWC
        u["words"][_IECTL] |= spec.EVENT_PENDING
        release(u)


@native
def release(u: np.void) -> None:
    """Let out what events are pending and not masked: `take_event` has them."""
    for control, event in ((_FECTL, FAULT), (_IECTL, INVALIDATION)):
        value = u["words"][control]
        if value & spec.EVENT_PENDING and not value & spec.EVENT_MASKED:
            u["words"][control] = value & ~spec.EVENT_PENDING
            u["events"] |= event


@native
def take_event(u: np.void) -> int:
    """Return an event whose message is to be sent now, FAULT or INVALIDATION, and forget it; 0: none."""
    event = FAULT if u["events"] & FAULT else u["events"]
    u["events"] &= ~event
    return event


@native
def event_data(u: np.void, event: int) -> int:
    """Return what the message of an event says."""
    return u["words"][(spec.FEDATA_REG if event == FAULT else spec.IEDATA_REG) >> 2]


@native
def event_address(u: np.void, event: int) -> int:
    """Return where the message of an event is written to."""
    word = (spec.FEADDR_REG if event == FAULT else spec.IEADDR_REG) >> 2
    return u["words"][word + 1] << 32 | u["words"][word]


@native
def settle_faults(u: np.void) -> None:
    """Let the status follow what records there still are; without any, no event is pending."""
    pending = 0
    for number in range(spec.FAULTS):
        if u["words"][(spec.FRCD_REG >> 2) + 4 * number + 3] & spec.F_FAULT:
            pending = spec.PPF
    u["words"][_FSTS] = u["words"][_FSTS] & ~spec.PPF | pending
    if not u["words"][_FSTS] & _STATUS:
        u["words"][_FECTL] &= ~spec.EVENT_PENDING
