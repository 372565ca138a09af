"""The local APIC's MSRs: IA32_APIC_BASE and the x2APIC registers. Intel SDM vol. 3A, 12.4.4 and 12.12.

Values are the int64 with the 64 bits of EDX:EAX. What the manual answers with #GP is refused here.
"""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.hw import lapic_core as core
from mksim.hw import lapic_page as page
from mksim.spec import apic as spec

GP = -1
"""What `write_msr` returns for a refused write; else an action of `lapic_page.write`."""


@native
def _offset(index: int) -> int:
    """Return the xAPIC offset of MSR `index` (12.12.1.2)."""
    return (index - spec.MSR_X2APIC) * spec.STRIDE


@native
def _readable(offset: int) -> bool:
    """Say whether table 12-6 has a register here that reads; APR, RRD, DFR and ICR high are xAPIC's alone."""
    if spec.ISR <= offset <= spec.ESR or spec.LVT_TIMER <= offset <= spec.CURRENT_COUNT:
        return True
    registers = (spec.ID, spec.VERSION, spec.TPR, spec.PPR, spec.LDR, spec.SVR, spec.ICR_LOW, spec.DIVIDE)
    return offset in registers


@native
def read_msr(apic: np.void, index: int, now: int) -> tuple[bool, int]:
    """Return (True, value) of x2APIC MSR `index`, 0x800 to 0x8ff, or (False, 0) for #GP."""
    offset = _offset(index)
    if not core.x2apic(apic) or not _readable(offset):
        return False, 0
    if offset == spec.ICR_LOW:
        return True, apic["icr"]
    return True, page.read(apic, offset, now)


@native
def _lvt_writable(index: int) -> int:
    """Return the bits of local vector `index` that are not reserved; the read-only ones stay as they are."""
    remote_irr = spec.LVT_REMOTE_IRR if index in (spec.LINT0, spec.LINT1) else 0
    return core.lvt_writable(index) | spec.LVT_PENDING | remote_irr


@native
def _writable(apic: np.void, offset: int) -> int:
    """Return the bits that may be written to the 32-bit register at `offset`, negative where none may be.

    12.12.1.3: a non-zero reserved bit is #GP. EOI and ESR take zero only (12.12.1.2).
    """
    if offset in (spec.TPR, spec.SELF_IPI):
        return 0xFF
    if offset in (spec.EOI, spec.ESR):
        return 0
    if offset == spec.SVR:
        return core.svr_writable(apic)
    if spec.LVT_TIMER <= offset <= spec.LVT_ERROR:
        return _lvt_writable((offset - spec.LVT_TIMER) // spec.STRIDE)
    if offset == spec.INITIAL_COUNT:
        return 0xFFFF_FFFF
    return spec.DIVIDE_WRITABLE if offset == spec.DIVIDE else -1


@native
def _send_to_self(apic: np.void, vector: int) -> int:
    """Deliver an edge-triggered interrupt to this very core (12.12.11)."""
    if vector < spec.FIRST_VECTOR:
        core.note_error(apic, spec.ESR_SEND_ILLEGAL_VECTOR)
    core.accept(apic, vector, False)
    return core.NOTHING


@native
def _write_icr(apic: np.void, icr: int) -> int:
    # Delivery status is gone in x2APIC mode; a one there is dropped, as processors do, the others are #GP
    reserved = 0xFFFF_FFFF & ~(spec.ICR_WRITABLE | spec.ICR_PENDING)
    return GP if icr & reserved != 0 else page.send(apic, icr & ~spec.ICR_PENDING)


@native
def write_msr(apic: np.void, index: int, value: int, now: int) -> int:
    """Write x2APIC MSR `index`, 0x800 to 0x8ff; return an action of `lapic_page.write`, or GP."""
    bits: Any = np.int64(value)
    offset = _offset(index)
    if not core.x2apic(apic):
        return GP
    if offset == spec.ICR_LOW:
        return _write_icr(apic, bits)
    writable = _writable(apic, offset)
    if writable < 0 or bits & ~writable != 0:
        return GP
    return _send_to_self(apic, bits) if offset == spec.SELF_IPI else page.write(apic, offset, bits, now)


@native
def _legal(before: int, after: int) -> bool:
    """Say whether IA32_APIC_BASE may go from EN|EXTD bits to these (figure 12-27)."""
    if after == spec.BASE_EXTD:
        return False  # the invalid state
    if after == spec.BASE_EN | spec.BASE_EXTD:
        return before != 0  # disabled to x2APIC needs xAPIC in between
    return after == 0 or before != spec.BASE_EN | spec.BASE_EXTD  # x2APIC is left through disabled only


@native
def write_base(apic: np.void, value: int) -> bool:
    """Write IA32_APIC_BASE; False for #GP. A disabled APIC comes back as after RESET (12.4.3)."""
    bits: Any = np.int64(value)
    mode = spec.BASE_EN | spec.BASE_EXTD
    if bits & ~(spec.BASE_ADDRESS | spec.BASE_BSP | mode) != 0:
        return False
    if not _legal(apic["base"] & mode, bits & mode):
        return False
    if bits & spec.BASE_EN == 0:
        core.init_reset(apic)
    apic["base"] = bits
    return True
