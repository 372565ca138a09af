"""What Intel VT-d remembers of tables: contexts, translations, interrupt entries. Revision 3.3, § 6.

A cached entry is used as long as nobody invalidates it, whatever the tables say by then, and whatever domain
had its number before. Each cache is direct mapped: what meets in a slot drives out what was there. An entry
that is not present, or faults, is not cached, as CAP_REG.CM says.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw.vtd_core import CONTEXTS, INTERRUPTS, LEVELS, TRANSLATIONS
from mksim.spec import vtd_tables as tables

_NONE = -1
_PAGE_IN_TAG = (1 << 40) - 1


@native
def clear(u: np.void) -> None:
    """Forget everything."""
    u["context_source"][:] = _NONE
    u["page_tag"][:] = _NONE
    u["interrupt_index"][:] = _NONE


@native
def ignored(code: int) -> int:
    """Return the bits of a source-id that do not count: FM of § 6.5.2.1, SQ of § 9.10."""
    return (0 if code == 0 else 8 - (1 << (3 - code))) & 7


# --- contexts


@native
def keep_context(u: np.void, source: int, low: int, high: int) -> None:
    """Remember a context entry."""
    slot = source % CONTEXTS
    u["context_source"][slot] = source
    u["context_low"][slot], u["context_high"][slot] = low, high


@native
def context_slot(u: np.void, source: int) -> int:
    """Return where the context of a source is remembered, -1 if it is not."""
    slot = source % CONTEXTS
    return slot if u["context_source"][slot] == source else np.int64(_NONE)  # type: ignore[return-value]


@native
def forget_contexts(u: np.void, domain: int, source: int, mask: int) -> None:
    """Forget contexts: of a domain unless that is -1, and of a source unless that is; `mask` as in FM."""
    counted = ~ignored(mask)
    for slot in range(CONTEXTS):
        whose = u["context_high"][slot] >> tables.DID_SHIFT & tables.DID
        if domain not in (_NONE, whose):
            continue
        if source == _NONE or (source ^ u["context_source"][slot]) & counted == 0:
            u["context_source"][slot] = _NONE


# --- translations


@native
def page_shift(level: int) -> int:
    """Return how many bits of an address are inside a page: of 4 KiB, 2 MiB, 1 GiB."""
    return tables.PAGE_BITS + tables.LEVEL_BITS * level


@native
def page_slot(level: int, address: int) -> int:
    """Return where the translation of an address is remembered, if it is by a page of that level."""
    return level * TRANSLATIONS + (address >> page_shift(level)) % TRANSLATIONS


@native
def keep_page(u: np.void, domain: int, level: int, address: int, frame: int, rights: int) -> None:
    """Remember a translation."""
    slot = page_slot(level, address)
    u["page_tag"][slot] = domain << 40 | address >> page_shift(level)
    u["page_frame"][slot], u["page_rights"][slot] = frame, rights


@native
def page_found(u: np.void, domain: int, address: int) -> int:
    """Return where the translation of an address is remembered, -1 if it is not."""
    for level in range(LEVELS):
        slot = page_slot(level, address)
        if u["page_tag"][slot] == domain << 40 | address >> page_shift(level):
            return slot
    return np.int64(_NONE)  # type: ignore[return-value]


@native
def forget_pages(u: np.void, domain: int, address: int, order: int) -> None:
    """Forget translations: of a domain unless that is -1; of 2^order pages at an address unless that is."""
    for slot in range(LEVELS * TRANSLATIONS):
        tag = u["page_tag"][slot]
        if domain not in (_NONE, tag >> 40):
            continue
        inside = tables.LEVEL_BITS * (slot // TRANSLATIONS)
        compared = max(inside, order)
        first = (tag & _PAGE_IN_TAG) << inside
        if address == _NONE or first >> compared == address >> tables.PAGE_BITS >> compared:
            u["page_tag"][slot] = _NONE


# --- interrupt entries


@native
def keep_interrupt(u: np.void, index: int, low: int, high: int) -> None:
    """Remember an interrupt entry."""
    slot = index % INTERRUPTS
    u["interrupt_index"][slot] = index
    u["interrupt_low"][slot], u["interrupt_high"][slot] = low, high


@native
def interrupt_slot(u: np.void, index: int) -> int:
    """Return where an interrupt entry is remembered, -1 if it is not."""
    slot = index % INTERRUPTS
    return slot if u["interrupt_index"][slot] == index else np.int64(_NONE)  # type: ignore[return-value]


@native
def forget_interrupts(u: np.void, index: int, order: int) -> None:
    """Forget interrupt entries: all if the index is -1, else 2^order of them."""
    for slot in range(INTERRUPTS):
        if index == _NONE or u["interrupt_index"][slot] >> order == index >> order:
            u["interrupt_index"][slot] = _NONE
