"""Local APIC: Intel SDM vol. 3A, chapter 12 (Pentium 4 and later). State, priorities, local vectors.

Levels on the LINT pins are left out: they act as edges, and remote IRR is never set. So are CMCI, writable
APIC IDs and what only the APIC bus had (remote read, focus processors, arbitration IDs).
"""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.hw import lapic_timer as timer
from mksim.spec import apic as spec

LAPIC = np.dtype(
    [
        ("deliverable", "<i8"),  # vector to interrupt the core with, or -1: what `highest` returns
        ("deadline", "<i8"),  # cycles: call `expire` then; NEVER
        ("irr_top", "<i8"),  # highest vector requested, or -1
        ("isr_top", "<i8"),  # highest vector in service, or -1
        ("tpr", "<i8"),
        ("ppr", "<i8"),
        ("svr", "<i8"),
        ("eoi_vector", "<i8"),  # what an EOI action broadcasts
        ("icr", "<i8"),  # the 64 bits as they are: destination above, command below
        ("sending", "<i8"),  # delivery status of the ICR: set while its message waits
        ("base", "<i8"),  # IA32_APIC_BASE
        ("id", "<i8"),  # x2APIC ID, 32 bits
        ("version", "<i8"),
        ("ldr", "<i8"),  # as the xAPIC register reads
        ("dfr", "<i8"),
        ("errors", "<i8"),  # detected since ESR was last written
        ("esr", "<i8"),
        ("expiry", "<i8"),  # cycles: when the timer reaches zero; NEVER
        ("tsc_deadline", "<i8"),  # IA32_TSC_DEADLINE
        ("initial", "<i8"),
        ("divide", "<i8"),
        ("lvt", "<i8", spec.LVTS),
        ("irr", "<u4", 8),
        ("isr", "<u4", 8),
        ("tmr", "<u4", 8),
    ]
)

NOTHING, SEND, EOI = 0, 1, 2
"""What the board must do after a write: nothing, send the message in `icr`, broadcast EOI of `eoi_vector`."""


# --- bitmaps of 256 vectors, eight words each ---


@native
def _holds(words: np.ndarray, vector: int) -> bool:
    return np.int64(words[vector >> 5]) >> (vector & 31) & 1 != 0


@native
def _put(words: np.ndarray, vector: int, present: bool) -> None:
    bit, word = 1 << (vector & 31), np.int64(words[vector >> 5])
    words[vector >> 5] = np.uint32(word | bit if present else word & ~bit)


@native
def _top(words: np.ndarray, below: int) -> int:
    """Return the highest vector held, -1 for none; nothing above `below` is held."""
    for index in range(below >> 5, -1, -1):
        word = np.int64(words[index])
        if word != 0:
            bit = -1
            while word != 0:
                word >>= 1
                bit += 1
            return index * 32 + bit
    return -1


# --- states and modes ---


@native
def globally_enabled(apic: np.void) -> bool:
    """Say whether there is an APIC at all (12.4.3)."""
    return apic["base"] & spec.BASE_EN != 0


@native
def x2apic(apic: np.void) -> bool:
    """Say whether its registers are MSRs (12.12.1)."""
    return apic["base"] & spec.BASE_EXTD != 0


@native
def enabled(apic: np.void) -> bool:
    """Say whether it takes interrupts: enabled by software (12.4.7.2). Global disable clears that as well."""
    return apic["svr"] & spec.SVR_ENABLE != 0


@native
def init_reset(apic: np.void) -> None:
    """Reset as INIT does (12.4.7.3): all but the ID, the version and IA32_APIC_BASE."""
    for index in range(8):
        apic["irr"][index] = apic["isr"][index] = apic["tmr"][index] = 0
    for index in range(spec.LVTS):
        apic["lvt"][index] = spec.LVT_MASKED
    apic["irr_top"] = apic["isr_top"] = apic["deliverable"] = -1
    apic["tpr"] = apic["ppr"] = apic["icr"] = apic["sending"] = apic["eoi_vector"] = 0
    apic["ldr"] = apic["errors"] = apic["esr"] = apic["divide"] = 0
    apic["dfr"] = spec.DFR_RESET
    apic["svr"] = spec.SVR_RESET
    timer.stop(apic)


@native
def power_up(apic: np.void, apic_id: int, bsp: bool) -> None:
    """Reset as RESET does (12.4.7.1): in xAPIC mode, disabled by software."""
    apic["id"] = apic_id
    apic["version"] = spec.VERSION_VALUE
    apic["base"] = spec.DEFAULT_BASE | spec.BASE_EN | (spec.BASE_BSP if bsp else 0)
    init_reset(apic)


# --- priorities, 12.8.3 ---


@native
def _arbitrate(apic: np.void) -> None:
    tpr, serving, wanted = apic["tpr"], max(apic["isr_top"], 0) & spec.PRIORITY, apic["irr_top"]
    # 12.8.3.1 leaves PPR[3:0] open where the classes are equal: TPR[3:0] here
    apic["ppr"] = tpr if tpr & spec.PRIORITY >= serving else serving
    apic["deliverable"] = wanted if wanted & spec.PRIORITY > apic["ppr"] & spec.PRIORITY else -1


@native
def write_tpr(apic: np.void, value: int) -> None:
    """Set the task priority, 8 bits; CR8 is its upper half (12.8.6)."""
    apic["tpr"] = value & 0xFF
    _arbitrate(apic)


@native
def arbitration_priority(apic: np.void) -> int:
    """Return the APR (12.6.2.4): the core with the lowest takes a lowest-priority message."""
    tpr, serving = apic["tpr"], max(apic["isr_top"], 0) & spec.PRIORITY
    wanted = max(apic["irr_top"], 0) & spec.PRIORITY
    if tpr & spec.PRIORITY >= wanted and tpr & spec.PRIORITY > serving:
        return tpr
    return max(tpr & spec.PRIORITY, serving, wanted)


@native(inline=True)
def highest(apic: np.void) -> int:
    """Return the vector that may interrupt the core now, or -1."""
    return apic["deliverable"]


# --- the life of an interrupt: request, acknowledge, end ---


@native
def _request(apic: np.void, vector: int, level: bool) -> None:
    _put(apic["irr"], vector, True)
    _put(apic["tmr"], vector, level)  # 12.8.4: both ways, upon acceptance
    if vector > apic["irr_top"]:
        apic["irr_top"] = vector
        _arbitrate(apic)


@native
def note_error(apic: np.void, error: int) -> None:
    """Log an error (12.5.3); the first since ESR was last written raises LVT Error."""
    first, entry = apic["errors"] == 0, apic["lvt"][spec.ERROR]
    apic["errors"] |= error
    if first and entry & spec.LVT_MASKED == 0:
        if entry & spec.LVT_VECTOR < spec.FIRST_VECTOR:
            apic["errors"] |= spec.ESR_RECEIVE_ILLEGAL_VECTOR
        else:
            _request(apic, entry & spec.LVT_VECTOR, False)


@native(inline=True)
def accept(apic: np.void, vector: int, level: bool) -> bool:
    """Take a fixed or lowest-priority interrupt (12.8.4); a second request for a vector merges."""
    if not enabled(apic):
        return False
    if vector < spec.FIRST_VECTOR:
        note_error(apic, spec.ESR_RECEIVE_ILLEGAL_VECTOR)
        return False
    _request(apic, vector, level)
    return True


@native(inline=True)
def acknowledge(apic: np.void) -> int:
    """Return the vector for the core and put it in service; the spurious one, if none is left (12.9)."""
    vector = apic["deliverable"]
    if vector < 0:
        return apic["svr"] & spec.SVR_VECTOR
    _put(apic["irr"], vector, False)
    _put(apic["isr"], vector, True)
    apic["isr_top"] = vector  # above all in service, or it would not be deliverable
    apic["irr_top"] = _top(apic["irr"], vector)
    _arbitrate(apic)
    return vector


@native
def eoi(apic: np.void) -> int:
    """End the highest interrupt in service (12.8.5); return EOI where I/O APICs must hear of it."""
    vector = apic["isr_top"]
    if vector < 0:
        return NOTHING
    _put(apic["isr"], vector, False)
    apic["isr_top"] = _top(apic["isr"], vector)
    _arbitrate(apic)
    apic["eoi_vector"] = vector
    suppressed = apic["svr"] & spec.SVR_EOI_SUPPRESSION != 0
    return EOI if _holds(apic["tmr"], vector) and not suppressed else NOTHING


# --- local vectors, 12.5.1 ---


@native
def fire_lvt(apic: np.void, index: int) -> int:
    """Raise local interrupt `index`; return the delivery mode that the core itself must take (NMI, SMI, INIT,
    EXTINT), or -1: masked, or fixed and done with.
    """
    entry = apic["lvt"][index]
    if entry & spec.LVT_MASKED != 0:
        return -1
    if index == spec.COUNTERS:
        apic["lvt"][index] |= spec.LVT_MASKED  # 12.5.1: it masks itself
    mode = (entry & spec.LVT_MODE) >> spec.LVT_MODE_SHIFT
    if mode == spec.FIXED:
        accept(apic, entry & spec.LVT_VECTOR, False)
        return -1
    return mode


@native(inline=True)
def expire(apic: np.void, now: int) -> bool:
    """Raise the timer's interrupt if its deadline has come, and rearm it; say whether it had."""
    due = timer.elapse(apic, now)
    if due:
        fire_lvt(apic, spec.TIMER)
    return due


@native
def write_tsc_deadline(apic: np.void, value: int, now: int, offset: int = 0) -> None:
    """Write IA32_TSC_DEADLINE for a TSC that reads `now + offset`. To read it: the field, after `expire`."""
    bits: Any = np.int64(value)
    expire(apic, now)
    timer.set_tsc_deadline(apic, bits, offset)


@native
def lint0_extint(apic: np.void) -> bool:
    """Say whether the 8259 reaches the core: through LINT0, or past a globally disabled APIC (12.4.3)."""
    entry = apic["lvt"][spec.LINT0] & (spec.LVT_MASKED | spec.LVT_MODE)
    return entry == spec.EXTINT << spec.LVT_MODE_SHIFT or not globally_enabled(apic)


@native
def lvt_writable(index: int) -> int:
    """Return the writable bits of local vector `index` (figure 12-8)."""
    if index == spec.TIMER:
        return spec.LVT_TIMER_WRITABLE
    if index == spec.ERROR:
        return spec.LVT_ERROR_WRITABLE
    return spec.LVT_PIN_WRITABLE if index in (spec.LINT0, spec.LINT1) else spec.LVT_EVENT_WRITABLE


@native
def write_lvt(apic: np.void, index: int, value: int, now: int) -> None:
    """Write local vector `index`."""
    value &= lvt_writable(index)
    if not enabled(apic):
        value |= spec.LVT_MASKED  # 12.4.7.2: attempts to clear it are ignored
    if index == spec.TIMER:
        expire(apic, now)
        timer.set_vector(apic, value)
    else:
        apic["lvt"][index] = value


@native
def svr_writable(apic: np.void) -> int:
    """Return the writable bits of SVR (figure 12-23); EOI suppression is where the version says so."""
    suppression = apic["version"] & spec.VERSION_EOI_SUPPRESSION != 0
    return spec.SVR_VECTOR | spec.SVR_ENABLE | (spec.SVR_EOI_SUPPRESSION if suppression else 0)


@native
def write_svr(apic: np.void, value: int, now: int) -> None:
    """Write SVR; disabling by software masks all local vectors (12.4.7.2)."""
    expire(apic, now)
    apic["svr"] = value & svr_writable(apic)
    if not enabled(apic):
        for index in range(spec.LVTS):
            write_lvt(apic, index, apic["lvt"][index], now)
