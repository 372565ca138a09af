"""High precision event timers: IA-PC HPET specification, revision 1.0a, October 2004; § is a section of it.

Nothing is ticked: the counter is arithmetic on the time passed, and matches are worked out when somebody
looks or `deadline` comes. Interrupts go by line numbers: ISA interrupts 0 and 8 in legacy replacement, else a
pin of the I/O APIC.

Left out: interrupts as messages (FSB). A comparator set to the very count of the moment matches when the
counter comes round. Writing with VAL_SET sets both accumulator and period: the specification leaves it open
(§ 2.3.9.2.2), most parts do, and drivers know both kinds.

All arguments are int64; `now` is in cycles, a tick is one of the main counter.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import hpet as spec

# fmt: off
HPET = np.dtype([
    ("rate",       np.int64),               # cycles per second
    ("deadline",   np.int64),               # cycle at which a line may change next, or NEVER
    ("config",     np.int64),               # GEN_CONF
    ("status",     np.int64),               # GINTR_STA
    ("count",      np.int64),               # MAIN_CNT at tick `seen`
    ("seen",       np.int64),               # tick up to which matches are worked out
    ("edges",      np.int64),               # lines that pulsed and were not taken yet, a bit each
    ("conf",       np.int64, spec.TIMERS),  # Tn_CONF, bits that can be written
    ("comparator", np.int64, spec.TIMERS),  # Tn_CMP; in periodic mode the accumulator
    ("period",     np.int64, spec.TIMERS),
    ("set_halves", np.int64, spec.TIMERS),  # halves of Tn_CMP, a bit each, that VAL_SET is still for
])
# fmt: on

_LOW = 0xFFFFFFFF
_FAR = 1 << 55
"""Ticks further away than that, eleven years, never come."""


@native
def reset(h: np.void, rate: int) -> None:
    """Power on, at `rate` cycles per second: the counter stands at 0, no timer is enabled."""
    h["rate"] = rate
    h["deadline"] = NEVER
    h["config"] = h["status"] = h["edges"] = 0
    h["count"] = h["seen"] = 0
    for n in range(spec.TIMERS):
        h["conf"][n] = h["period"][n] = h["set_halves"][n] = 0
        h["comparator"][n] = -1


@native
def read(h: np.void, offset: int, now: int) -> int:
    """Return the 32 bits at `offset`, a multiple of 4."""
    _advance(h, now)
    start = offset & ~7
    value = 0
    if start == spec.GCAP_ID:
        value = spec.PERIOD << 32 | spec.CAPABILITIES
    elif start == spec.GEN_CONF:
        value = h["config"]
    elif start == spec.GINTR_STA:
        value = h["status"]
    elif start == spec.MAIN_CNT:
        value = h["count"]
    elif _timer(start) >= 0:
        value = _read_timer(h, _timer(start), start & (spec.TIMER_SIZE - 1))
    return value >> (8 * (offset & 4)) & _LOW


@native
def write(h: np.void, offset: int, value: int, now: int) -> None:
    """Write the 32 bits at `offset`, a multiple of 4. Lines may change: see `levels` and `take_edges`."""
    _advance(h, now)
    start, high = offset & ~7, offset & 4 != 0
    if start == spec.GEN_CONF and not high:
        h["config"] = value & spec.GEN_WRITABLE
    elif start == spec.GINTR_STA and not high:
        h["status"] &= ~value
    elif start == spec.MAIN_CNT:
        h["count"] = _replaced(h["count"], value, high)
    elif _timer(start) >= 0:
        _write_timer(h, _timer(start), start & (spec.TIMER_SIZE - 1), value, high)
    _arm(h)


@native
def expire(h: np.void, now: int) -> None:
    """Let the matches up to `now` happen."""
    _advance(h, now)
    _arm(h)


@native
def replaces_legacy(h: np.void) -> bool:
    """Whether timers 0 and 1 have the interrupt lines of the 8254 and the RTC."""
    return h["config"] & spec.LEGACY != 0


@native
def levels(h: np.void) -> int:
    """Return the lines that level triggered timers assert, a bit each; those of several are shared."""
    lines = 0
    for n in range(spec.TIMERS):
        if h["status"] >> n & 1 and _allowed(h, n) and h["conf"][n] & spec.INT_TYPE:
            lines |= _line(h, n)
    return lines


@native
def take_edges(h: np.void) -> int:
    """Return the lines that edge triggered timers have pulsed since this was last asked."""
    lines = h["edges"]
    h["edges"] = 0
    return lines


# --- the counter and its matches


@native
def _advance(h: np.void, now: int) -> None:
    """Move the counter to `now`, and let what it passed match; it never goes back."""
    tick = scale(now, spec.FREQUENCY, h["rate"])
    passed = max(tick - h["seen"], 0)
    h["seen"] += passed
    if h["config"] & spec.ENABLE and passed > 0:
        for n in range(spec.TIMERS):
            _pass(h, n, passed)
        h["count"] += passed


@native
def _pass(h: np.void, n: int, passed: int) -> None:
    """Let one timer see the counter pass so many ticks, before it is counted on."""
    distance = _distance(h, n)
    if distance > passed:
        return
    if h["conf"][n] & spec.INT_TYPE:
        h["status"] |= 1 << n  # whether or not the interrupt is enabled, § 2.3.8, Tn_INT_ENB_CNF
    elif _allowed(h, n):
        h["edges"] |= _line(h, n)
    period = h["period"][n]
    if h["conf"][n] & spec.PERIODIC and period > 0:
        h["comparator"][n] += ((passed - distance) // period + 1) * period
        h["comparator"][n] &= _mask(h, n)


@native
def _distance(h: np.void, n: int) -> int:
    """Return how many ticks the counter is before the next match, one at least."""
    away = h["comparator"][n] - h["count"]
    if h["conf"][n] & spec.MODE_32:
        return (away - 1 & _LOW) + 1
    return away if away > 0 else NEVER


@native
def _mask(h: np.void, n: int) -> int:
    return _LOW if h["conf"][n] & spec.MODE_32 else -1


@native
def _allowed(h: np.void, n: int) -> bool:
    return h["config"] & spec.ENABLE != 0 and h["conf"][n] & spec.INT_ENB != 0


@native
def _line(h: np.void, n: int) -> int:
    """Return the line of a timer as a bit, 0 if it has none."""
    if n <= 1 and h["config"] & spec.LEGACY:
        return 1 << (spec.IRQ_OF_TIMER_0 if n == 0 else spec.IRQ_OF_TIMER_1)
    return 1 << (h["conf"][n] >> spec.ROUTE_SHIFT & 0x1F) & spec.ROUTES


@native
def _arm(h: np.void) -> None:
    """Work out when a line may change by itself: that of a level triggered timer only rises once."""
    away = NEVER
    for n in range(spec.TIMERS):
        if _allowed(h, n) and not (h["conf"][n] & spec.INT_TYPE and h["status"] >> n & 1):
            away = min(away, _distance(h, n))
    h["deadline"] = NEVER
    if away < _FAR:
        h["deadline"] = -scale(-(h["seen"] + away), h["rate"], spec.FREQUENCY)


# --- registers


@native
def _timer(offset: int) -> int:
    """Return the timer that has a register there, -1 if none has."""
    n = (offset - spec.TIMER) // spec.TIMER_SIZE
    return n if 0 <= n < spec.TIMERS else -1


@native
def _replaced(old: int, value: int, high: bool) -> int:
    """Return 64 bits of which one half is written."""
    value &= _LOW
    return old & _LOW | value << 32 if high else old & ~_LOW | value


@native
def _read_timer(h: np.void, n: int, register: int) -> int:
    if register == spec.CONF:
        return spec.ROUTES << 32 | h["conf"][n] | spec.CONF_FIXED
    return h["comparator"][n] if register == spec.CMP else 0


@native
def _write_timer(h: np.void, n: int, register: int, value: int, high: bool) -> None:
    if register == spec.CMP:
        _write_comparator(h, n, value, high)
    elif register == spec.CONF and not high:
        _write_conf(h, n, value)


@native
def _write_conf(h: np.void, n: int, value: int) -> None:
    """A route that the timer has not, does not read back: § 2.3.8, Tn_INT_ROUTE_CNF."""
    if not 1 << (value >> spec.ROUTE_SHIFT & 0x1F) & spec.ROUTES:
        value = value & ~spec.ROUTE | h["conf"][n] & spec.ROUTE
    h["conf"][n] = value & spec.CONF_WRITABLE
    h["set_halves"][n] = 3 if value & spec.VAL_SET else 0
    h["comparator"][n] &= _mask(h, n)
    h["period"][n] &= _mask(h, n)


@native
def _write_comparator(h: np.void, n: int, value: int, high: bool) -> None:
    """VAL_SET is for one write: a 64-bit one comes as two halves, the low one first."""
    half = 2 if high else 1
    if not h["conf"][n] & spec.PERIODIC or h["set_halves"][n] & half:
        h["comparator"][n] = _replaced(h["comparator"][n], value, high) & _mask(h, n)
    if h["conf"][n] & spec.PERIODIC:
        h["period"][n] = _replaced(h["period"][n], value, high) & _mask(h, n)
    h["set_halves"][n] &= 2 if h["set_halves"][n] == 3 and not high else 0
