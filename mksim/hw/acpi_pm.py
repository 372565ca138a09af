"""ACPI fixed hardware of one kernel: PM1a status, enable and control, and the PM timer. ACPI 6.4, § 4.8.

The sleep control register does the same for kernels whose FADT says hardware-reduced.

Left out: buttons, wake events and sleeping states other than soft-off; writing SLP_EN for those does nothing.

All arguments are int64; `size` is 1, 2 or 4 bytes, `now` in cycles.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import acpi_pm as spec

# fmt: off
PM = np.dtype([
    ("rate",     np.int64),  # cycles per second
    ("bits",     np.int64),  # width of the timer: 24 or 32
    ("status",   np.int64),  # PM1a_STS but for TIMER
    ("enable",   np.int64),  # PM1a_EN
    ("control",  np.int64),  # PM1a_CNT
    ("half",     np.int64),  # half-turns of the timer when TIMER was last cleared: any later one sets it
    ("deadline", np.int64),  # cycle at which the timer raises the SCI, or NEVER
])
# fmt: on


@native
def reset(m: np.void, rate: int, bits: int) -> None:
    """Power on, at `rate` cycles per second, with a timer of 24 or 32 bits."""
    m["rate"] = rate
    m["bits"] = bits
    m["status"] = 0
    m["enable"] = 0
    m["control"] = spec.SCI_ENABLE
    m["half"] = 0
    m["deadline"] = NEVER


@native
def read(m: np.void, offset: int, size: int, now: int) -> int:
    """Return `size` bytes at `offset`; zero where there is no register."""
    value = 0
    for lane in range(size):
        value |= _read_byte(m, offset + lane, now) << (8 * lane)
    return value


@native
def write(m: np.void, offset: int, size: int, value: int, now: int) -> int:
    """Write `size` bytes at `offset`. Return 1 if that switches the kernel off, else 0."""
    off = 0
    for lane in range(size):
        off |= _write_byte(m, offset + lane, value >> (8 * lane) & 0xFF, now)
    _arm(m, now)
    return off


@native
def line(m: np.void, now: int) -> bool:
    """Level of the SCI: an enabled event is pending."""
    return _status(m, now) & m["enable"] != 0


@native
def expire(m: np.void, now: int) -> bool:
    """Move `deadline` behind `now`. Return whether it had come: `line` is high then."""
    come = m["deadline"] <= now
    if come:
        _arm(m, now)
    return come


@native
def timer(m: np.void, now: int) -> int:
    """Return PM_TMR."""
    return scale(now, spec.TIMER_FREQUENCY, m["rate"]) & ((1 << m["bits"]) - 1)


@native
def _half(m: np.void, now: int) -> int:
    """Half-turns of the timer: how often its most significant bit has changed."""
    return scale(now, spec.TIMER_FREQUENCY, m["rate"]) >> (m["bits"] - 1)


@native
def _status(m: np.void, now: int) -> int:
    return m["status"] | (spec.TIMER if _half(m, now) != m["half"] else 0)


@native
def _arm(m: np.void, now: int) -> None:
    """Only an enabled timer event that is not pending yet has a time."""
    m["deadline"] = NEVER
    if m["enable"] & spec.TIMER and _half(m, now) == m["half"]:
        tick = (m["half"] + 1) << (m["bits"] - 1)
        m["deadline"] = -scale(-tick, m["rate"], spec.TIMER_FREQUENCY)


@native
def _register(m: np.void, offset: int, now: int) -> int:
    """The register of which `offset` is a byte, aligned to two bytes."""
    start = offset & ~1
    if start == spec.PM1_STS:
        return _status(m, now)
    if start == spec.PM1_EN:
        return m["enable"]
    if start == spec.PM1_CNT:
        return m["control"]
    if start == spec.PM_TMR:
        return timer(m, now) & 0xFFFF
    return timer(m, now) >> 16 if start == spec.PM_TMR + 2 else 0


@native
def _read_byte(m: np.void, offset: int, now: int) -> int:
    return _register(m, offset, now) >> (8 * (offset & 1)) & 0xFF


@native
def _write_byte(m: np.void, offset: int, byte: int, now: int) -> int:
    """Write one byte of a register. Return 1 for soft-off."""
    start, shift = offset & ~1, 8 * (offset & 1)
    value, kept = byte << shift, 0xFF00 >> shift
    if start == spec.PM1_STS:
        m["status"] &= ~value
        if value & spec.TIMER:
            m["half"] = _half(m, now)
    elif start == spec.PM1_EN:
        m["enable"] = m["enable"] & kept | value & spec.PM1_EN_WRITABLE
    elif start == spec.PM1_CNT:
        m["control"] = m["control"] & kept | value & spec.PM1_CNT_STORED | spec.SCI_ENABLE
        return _sleeps(value)
    return _sleeps_reduced(byte) if offset == spec.SLEEP_CTL else 0


@native
def _sleeps(control: int) -> int:
    kind = (control & spec.SLEEP_TYPE) >> spec.SLEEP_TYPE_SHIFT
    return 1 if control & spec.SLEEP_ENABLE and kind == spec.SOFT_OFF else 0


@native
def _sleeps_reduced(control: int) -> int:
    kind = (control & spec.REDUCED_SLEEP_TYPE) >> spec.REDUCED_SLEEP_TYPE_SHIFT
    return 1 if control & spec.REDUCED_SLEEP_ENABLE and kind == spec.SOFT_OFF else 0
