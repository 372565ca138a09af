"""The local APIC's register page: Intel SDM vol. 3A, table 12-1. Registers are 32 bits, 16 bytes apart.

`read` serves the x2APIC MSRs as well: registers that look different there do so by the mode.
"""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.hw import lapic_core as core
from mksim.hw import lapic_message as message
from mksim.hw import lapic_timer as timer
from mksim.spec import apic as spec

NOTHING, SEND, EOI = core.NOTHING, core.SEND, core.EOI


@native
def _lvt_index(offset: int) -> int:
    """Return which local vector lies at `offset`, or -1."""
    inside = spec.LVT_TIMER <= offset <= spec.LVT_ERROR and offset % spec.STRIDE == 0
    return (offset - spec.LVT_TIMER) // spec.STRIDE if inside else -1


@native
def _in_bitmaps(offset: int) -> bool:
    return spec.ISR <= offset < spec.ESR and offset % spec.STRIDE == 0


@native
def _read_bitmap(apic: np.void, offset: int) -> int:
    words: Any = apic["irr"]
    if offset < spec.IRR:
        words = apic["isr"] if offset < spec.TMR else apic["tmr"]
    word: Any = np.int64(words[offset >> 4 & 7])
    return word


@native
def _read_priority(apic: np.void, offset: int) -> int:
    if offset == spec.TPR:
        return apic["tpr"]
    return apic["ppr"] if offset == spec.PPR else core.arbitration_priority(apic)


@native
def _read_identity(apic: np.void, offset: int) -> int:
    if offset == spec.VERSION:
        return apic["version"]
    return apic["id"] if core.x2apic(apic) else (apic["id"] & 0xFF) << 24


@native
def _read_setup(apic: np.void, offset: int) -> int:
    if offset == spec.LDR:
        return message.logical_id(apic)
    return apic["dfr"] if offset == spec.DFR else apic["svr"]


@native
def _read_icr(apic: np.void, offset: int) -> int:
    if offset == spec.ICR_HIGH:
        return apic["icr"] >> 32 & 0xFFFF_FFFF
    return apic["icr"] & 0xFFFF_FFFF | (spec.ICR_PENDING if apic["sending"] != 0 else 0)


@native
def _read_timer(apic: np.void, offset: int, now: int) -> int:
    if offset == spec.CURRENT_COUNT:
        return timer.current(apic, now)
    return apic["initial"] if offset == spec.INITIAL_COUNT else apic["divide"]


@native
def _read_nothing(apic: np.void, offset: int) -> int:
    if offset not in (spec.EOI, spec.RRD):  # write-only; gone, but no error (table 12-1, note 1)
        core.note_error(apic, spec.ESR_ILLEGAL_REGISTER)
    return 0


@native
def _read_scalar(apic: np.void, offset: int, now: int) -> int:
    value: Any
    if offset in (spec.TPR, spec.APR, spec.PPR):
        value = _read_priority(apic, offset)
    elif offset in (spec.CURRENT_COUNT, spec.INITIAL_COUNT, spec.DIVIDE):
        value = _read_timer(apic, offset, now)
    elif offset in (spec.ICR_LOW, spec.ICR_HIGH):
        value = _read_icr(apic, offset)
    elif offset in (spec.ID, spec.VERSION):
        value = _read_identity(apic, offset)
    elif offset in (spec.LDR, spec.DFR, spec.SVR):
        value = _read_setup(apic, offset)
    elif offset == spec.ESR:
        value = apic["esr"]
    else:
        value = _read_nothing(apic, offset)
    return value


@native
def read(apic: np.void, offset: int, now: int) -> int:
    """Return the register at `offset`; reserved ones read 0 and log an error (12.5.3)."""
    if _in_bitmaps(offset):
        return _read_bitmap(apic, offset)
    index = _lvt_index(offset)
    return apic["lvt"][index] if index >= 0 else _read_scalar(apic, offset, now)


@native
def send(apic: np.void, icr: int) -> int:
    """Put a command into the ICR, return SEND. An illegal vector is logged (12.5.3) and sent all the same."""
    apic["icr"] = icr
    if message.icr_mode(icr) <= spec.LOWEST_PRIORITY and message.icr_vector(icr) < spec.FIRST_VECTOR:
        core.note_error(apic, spec.ESR_SEND_ILLEGAL_VECTOR)
    return SEND


@native
def _write_icr_high(apic: np.void, value: int) -> None:
    apic["icr"] = (value & 0xFF00_0000) << 32 | apic["icr"] & 0xFFFF_FFFF


@native
def _write_esr(apic: np.void) -> None:
    apic["esr"] = apic["errors"]  # 12.5.3: a write of any value shows what was logged, and starts afresh
    apic["errors"] = 0


@native
def _write_timer(apic: np.void, offset: int, value: int, now: int) -> None:
    core.expire(apic, now)
    if offset == spec.DIVIDE:
        timer.set_divide(apic, value & spec.DIVIDE_WRITABLE, now)
    else:
        timer.load(apic, value, now)


@native
def _read_only(offset: int) -> bool:
    registers = (spec.ID, spec.VERSION, spec.APR, spec.PPR, spec.RRD, spec.CURRENT_COUNT)
    return _in_bitmaps(offset) or offset in registers


@native
def _write_scalar(apic: np.void, offset: int, value: int, now: int) -> None:
    if offset == spec.ICR_HIGH:
        _write_icr_high(apic, value)
    elif offset in (spec.INITIAL_COUNT, spec.DIVIDE):
        _write_timer(apic, offset, value, now)
    elif offset == spec.SVR:
        core.write_svr(apic, value, now)
    elif offset == spec.LDR:
        apic["ldr"] = value & 0xFF00_0000
    elif offset == spec.DFR:
        apic["dfr"] = value | spec.DFR_RESERVED
    elif offset == spec.ESR:
        _write_esr(apic)
    elif not _read_only(offset):
        core.note_error(apic, spec.ESR_ILLEGAL_REGISTER)


@native(inline=True)
def write(apic: np.void, offset: int, value: int, now: int) -> int:
    """Write the register at `offset`; return NOTHING, SEND or EOI. Read-only registers ignore it."""
    bits: Any = np.int64(value) & 0xFFFF_FFFF
    index = _lvt_index(offset)
    if offset == spec.EOI:
        return core.eoi(apic)
    if offset == spec.ICR_LOW:
        return send(apic, apic["icr"] >> 32 << 32 | bits & spec.ICR_WRITABLE)
    if offset == spec.TPR:
        core.write_tpr(apic, bits)
    elif index >= 0:
        core.write_lvt(apic, index, bits, now)
    else:
        _write_scalar(apic, offset, bits, now)
    return NOTHING
