"""Interrupt messages as a local APIC sends and hears them: Intel SDM vol. 3A, 12.6 and 12.12.9 to 12.12.10.

Destinations are 32 bits wide throughout. An 8-bit sender (xAPIC, I/O APIC, MSI) says everybody with 0xff: its
destinations go through `widen`. The record is `mksim.hw.lapic_core.LAPIC`.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import apic as spec


@native
def widen(destination: int) -> int:
    """Return the 32-bit form of an 8-bit destination."""
    return spec.BROADCAST if destination == spec.BROADCAST_XAPIC else destination


# --- the fields of an ICR, figures 12-12 and 12-28; int64, as `apic["icr"]` holds it ---


@native
def icr_vector(icr: int) -> int:
    """Return the vector; of a SIPI, the page it starts in."""
    return icr & spec.ICR_VECTOR


@native
def icr_mode(icr: int) -> int:
    """Return the delivery mode: FIXED, LOWEST_PRIORITY, SMI, NMI, INIT or SIPI; others are reserved."""
    return icr >> spec.ICR_MODE_SHIFT & 7


@native
def icr_level(icr: int) -> bool:
    """Say whether it asserts. An INIT that does not (12.4.7.4) means nothing since the Pentium 4."""
    return icr & spec.ICR_ASSERT != 0


@native
def icr_trigger(icr: int) -> bool:
    """Say whether it is level-triggered; ignored for IPIs since the Pentium 4 (12.6.1)."""
    return icr & spec.ICR_LEVEL != 0


@native
def icr_shorthand(icr: int) -> int:
    """Return NO_SHORTHAND, SELF, ALL_INCLUDING_SELF or ALL_EXCLUDING_SELF."""
    return icr >> spec.ICR_SHORTHAND_SHIFT & 3


@native
def icr_logical(icr: int) -> bool:
    """Say whether the destination is logical."""
    return icr & spec.ICR_LOGICAL != 0


@native
def icr_destination(apic: np.void, icr: int) -> int:
    """Return the destination of a message from `apic`, 32 bits, BROADCAST for everybody."""
    if apic["base"] & spec.BASE_EXTD != 0:
        return icr >> 32 & 0xFFFF_FFFF
    return widen(icr >> 56 & 0xFF)


# --- who is meant, 12.6.2 ---


@native
def logical_id(apic: np.void) -> int:
    """Return the LDR as it reads: in x2APIC mode derived from the ID (12.12.10.2), 16 cores to a cluster."""
    if apic["base"] & spec.BASE_EXTD != 0:
        return (apic["id"] >> 4 & 0xFFFF) << 16 | 1 << (apic["id"] & 15)
    return apic["ldr"]


@native
def _flat(apic: np.void, destination: int) -> bool:
    return destination & (apic["ldr"] >> 24) != 0


@native
def _clustered(destination: int, own: int, width: int) -> bool:
    """Compare cluster number with cluster number, then member bits with member bits, `width` bits each."""
    return destination >> width == own >> width and destination & own & ((1 << width) - 1) != 0


@native
def _matches_logical(apic: np.void, destination: int) -> bool:
    if apic["base"] & spec.BASE_EXTD != 0:
        return _clustered(destination, logical_id(apic), 16)
    model = apic["dfr"] & spec.DFR_MODEL
    if destination > 0xFF:
        return False
    if model == spec.DFR_FLAT:
        return _flat(apic, destination)
    return model == spec.DFR_CLUSTER and _clustered(destination, apic["ldr"] >> 24, 4)


@native
def matches(apic: np.void, destination: int, logical: bool) -> bool:
    """Say whether `apic` is a destination of a message without shorthand.

    Everybody is 0xffffffff, and to an APIC in xAPIC mode 0xff. IDs are compared in all 32 bits in both modes:
    a core numbered above 255 is never taken for another, and an x2APIC sender reaches it in xAPIC mode too.
    """
    if apic["base"] & spec.BASE_EN == 0:
        return False
    everybody = spec.BROADCAST if apic["base"] & spec.BASE_EXTD != 0 else spec.BROADCAST_XAPIC
    if destination in (everybody, spec.BROADCAST):
        return True
    return _matches_logical(apic, destination) if logical else destination == apic["id"]
