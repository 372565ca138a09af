"""I/O APIC: Intel 82093AA, order 290566-001, May 1996, with the EOI register of its successors.

Lines in, interrupt messages out: `take` names the pin whose entry is to be sent now. Messages are taken as
soon as they are ready, so the delivery status always reads idle. The line level is a logical one (true =
asserted): the polarity bit is kept, and has no effect.

All arguments are int64; an entry is one uint64 of the redirection table.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import ioapic as spec

# fmt: off
IOAPIC = np.dtype([
    ("id",          np.int64),
    ("select",      np.int64),             # IOREGSEL
    ("lines",       np.int64),             # asserted inputs, a bit each
    ("edges",       np.int64),             # edges seen and not yet sent, a bit each
    ("redirection", np.uint64, spec.PINS),
])
# fmt: on

_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@native
def reset(i: np.void, identity: int) -> None:
    """Power on: all pins masked, no input asserted."""
    i["id"] = identity & spec.ID_MASK
    i["select"] = 0
    i["lines"] = 0
    i["edges"] = 0
    for pin in range(spec.PINS):
        i["redirection"][pin] = np.uint64(spec.MASKED)


@native
def read(i: np.void, offset: int) -> int:
    """Return 32 bits at `offset`; reserved ones are zero."""
    if offset == spec.IOREGSEL:
        return i["select"]
    if offset == spec.IOWIN:
        return _read_indirect(i, i["select"])
    return 0


@native
def write(i: np.void, offset: int, value: int) -> None:
    """Write 32 bits at `offset`. A pin may be ready to send after that: see `take`."""
    if offset == spec.IOREGSEL:
        i["select"] = value & 0xFF
    elif offset == spec.IOWIN:
        _write_indirect(i, i["select"], value)
    elif offset == spec.EOI:
        eoi(i, value & spec.VECTOR)


@native
def set_line(i: np.void, pin: int, level: int) -> None:
    """Assert or release an input. Edges on a masked pin "are ignored (i.e., not delivered or held ...)"."""
    bit = 1 << pin
    entry = _low(i, pin)
    rising = level and not i["lines"] & bit
    if rising and not _is_level(entry) and not entry & spec.MASKED:
        i["edges"] |= bit
    i["lines"] = i["lines"] | bit if level else i["lines"] & ~bit


@native
def eoi(i: np.void, vector: int) -> bool:
    """Take an EOI for a level triggered vector. Return whether a pin waited for it."""
    found = False
    for pin in range(spec.PINS):
        entry = _low(i, pin)
        if entry & spec.REMOTE_IRR and entry & spec.VECTOR == vector:
            _set_low(i, pin, entry & ~spec.REMOTE_IRR)
            found = True
    return found


@native
def take(i: np.void) -> int:
    """Return the lowest pin with a message to send, which counts as accepted then; -1 if there is none."""
    candidates = i["lines"] | i["edges"]
    for pin in range(spec.PINS):
        if candidates >> pin & 1 and _ready(i, pin):
            _accept(i, pin)
            return pin
    return -1


# --- pins


@native
def _low(i: np.void, pin: int) -> int:
    """Bits 31:0 of an entry."""
    return np.int64(i["redirection"][pin] & _LOW_HALF)  # type: ignore[return-value]  # signed, for numba


@native
def _high(i: np.void, pin: int) -> int:
    """Bits 63:32 of an entry."""
    return np.int64(i["redirection"][pin] >> _HALF)  # type: ignore[return-value]


@native
def _set_low(i: np.void, pin: int, low: int) -> None:
    i["redirection"][pin] = np.uint64(_high(i, pin) << 32 | low)


@native
def _is_level(entry: int) -> bool:
    """SMI, NMI, INIT and ExtINT are edge triggered whatever the entry says, § 3.2.4, delivery mode."""
    mode = (entry & spec.DELIVERY) >> spec.DELIVERY_SHIFT
    return entry & spec.LEVEL != 0 and mode in (spec.FIXED, spec.LOWEST_PRIORITY)


@native
def _ready(i: np.void, pin: int) -> bool:
    entry = _low(i, pin)
    if entry & spec.MASKED:
        return False
    if _is_level(entry):
        return i["lines"] >> pin & 1 and not entry & spec.REMOTE_IRR
    return i["edges"] >> pin & 1 != 0


@native
def _accept(i: np.void, pin: int) -> None:
    entry = _low(i, pin)
    i["edges"] &= ~(1 << pin)
    if _is_level(entry):
        _set_low(i, pin, entry | spec.REMOTE_IRR)


# --- registers


@native
def _read_indirect(i: np.void, index: int) -> int:
    pin = (index - spec.IOREDTBL) >> 1
    if 0 <= pin < spec.PINS:
        return _high(i, pin) if index & 1 else _low(i, pin)
    if index == spec.IOAPICVER:
        return spec.VERSION_REGISTER
    if index in (spec.IOAPICID, spec.IOAPICARB):
        return i["id"] << spec.ID_SHIFT
    return 0


@native
def _write_indirect(i: np.void, index: int, value: int) -> None:
    pin = (index - spec.IOREDTBL) >> 1
    if 0 <= pin < spec.PINS:
        if index & 1:
            high = value & spec.WRITABLE_HIGH
            i["redirection"][pin] = np.uint64(high) << _HALF | i["redirection"][pin] & _LOW_HALF
        else:
            _write_low(i, pin, value)
    elif index == spec.IOAPICID:
        i["id"] = value >> spec.ID_SHIFT & spec.ID_MASK


@native
def _write_low(i: np.void, pin: int, value: int) -> None:
    """Change an entry's low half. Becoming edge triggered clears Remote IRR, and becoming level triggered
    drops a waiting edge: neither is in the datasheet, but drivers of parts without an EOI register end
    interrupts that way (Linux, __eoi_ioapic_pin).
    """
    low = value & spec.WRITABLE_LOW | _low(i, pin) & spec.REMOTE_IRR
    if _is_level(low):
        i["edges"] &= ~(1 << pin)
    else:
        low &= ~spec.REMOTE_IRR
    _set_low(i, pin, low)
