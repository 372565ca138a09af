"""8254 interval timer and port 0x61: Intel 8254, order 231164-005, September 1993.

Counters are not clocked: each remembers the tick of CLK at which its counting element was loaded, and
everything else is arithmetic on the ticks passed since. OUT of counter 0 is announced by its next rising
edge, `deadline`.

Left out: interrupts by counters 1 and 2. A count of 1 in modes 2 and 3 is illegal; OUT stays high then. GATE
that changes in the one CLK of a mode 4 strobe stretches it. Port 0x61 has no checks, and no sound.

All arguments are int64; `now` is in cycles, `tick` counts CLK from the start of time.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import pit as spec
from mksim.spec.pit import HARDWARE_STROBE, ONE_SHOT, RATE, SQUARE, STROBE, TERMINAL_COUNT

# fmt: off
PIT = np.dtype([
    ("rate",      np.int64),                 # cycles per second
    ("deadline",  np.int64),                 # cycle of the next rising edge of OUT 0, or NEVER
    ("port_b",    np.int64),                 # bits 3:0 of port 0x61 as written
    ("control",   np.int64, spec.COUNTERS),  # control word, bits 5:0
    ("count",     np.int64, spec.COUNTERS),  # N in the counting element, 1..65536
    ("origin",    np.int64, spec.COUNTERS),  # tick at which N was loaded into it
    ("running",   np.int64, spec.COUNTERS),  # 1: loaded (by software, or by GATE in modes 1 and 5)
    ("gate",      np.int64, spec.COUNTERS),
    ("held",      np.int64, spec.COUNTERS),  # ticks passed when GATE fell, modes 0 and 4
    ("written",   np.int64, spec.COUNTERS),  # N in the count register, waiting for `switch`; 0: none
    ("switch",    np.int64, spec.COUNTERS),  # tick at which it goes into the counting element, or NEVER
    ("low",       np.int64, spec.COUNTERS),  # first byte of a count being written, -1 if none
    ("high_next", np.int64, spec.COUNTERS),  # 1: the next read gives the high byte
    ("latched",   np.int64, spec.COUNTERS),  # latched count, -1 if none
    ("status",    np.int64, spec.COUNTERS),  # latched status byte, -1 if none
])
# fmt: on

_PERIODIC = (RATE, SQUARE)
_TRIGGERED = (ONE_SHOT, HARDWARE_STROBE)
"""Modes that GATE starts. It enables the others."""


@native
def reset(p: np.void, rate: int) -> None:
    """Power on, at `rate` cycles per second: nothing counts; GATE is tied high but for the speaker's."""
    p["rate"] = rate
    p["deadline"] = NEVER
    p["port_b"] = 0
    for counter in range(spec.COUNTERS):
        p["gate"][counter] = 1 if counter != spec.SPEAKER else 0
        p["origin"][counter] = 0
        p["held"][counter] = 0
        _program(p, counter, spec.ACCESS_BOTH << spec.ACCESS_SHIFT)


@native
def read(p: np.void, offset: int, now: int) -> int:
    """Return the next byte of a counter: latched status, else latched count, else its count."""
    if offset >= spec.CONTROL:
        return 0
    if p["status"][offset] >= 0:
        status = p["status"][offset]
        p["status"][offset] = -1
        return status
    value = p["latched"][offset]
    if value < 0:
        value = _count(p, offset, _settle(p, offset, now))
    return _next_byte(p, offset, value)


@native
def write(p: np.void, offset: int, value: int, now: int) -> None:
    """Write a byte of a count, or a command. OUT of counter 0 may change at once: see `out`."""
    value &= 0xFF
    if offset < spec.CONTROL:
        _write_byte(p, offset, value, _settle(p, offset, now))
    elif value >> spec.SELECT_SHIFT == spec.SELECT_READ_BACK:
        _read_back(p, value, now)
    elif (value >> spec.ACCESS_SHIFT) & spec.ACCESS_BOTH == spec.ACCESS_LATCH:
        _latch_count(p, value >> spec.SELECT_SHIFT, now)
    else:
        _program(p, value >> spec.SELECT_SHIFT, value & spec.PROGRAMMED)
    _arm(p, now)


@native
def set_gate(p: np.void, counter: int, level: int, now: int) -> None:
    """Drive GATE of a counter, fig. 16 and the mode definitions."""
    tick = _settle(p, counter, now)
    rising = level and not p["gate"][counter]
    if not level and p["gate"][counter]:
        p["held"][counter] = max(tick - p["origin"][counter], 0)
    p["gate"][counter] = 1 if level else 0
    if rising:
        _trigger(p, counter, tick)
    _arm(p, now)


@native
def out(p: np.void, counter: int, now: int) -> bool:
    """Level of OUT of a counter."""
    return _out(p, counter, _settle(p, counter, now))


@native
def expire(p: np.void, now: int) -> bool:
    """Move `deadline` behind `now`. Return whether OUT 0 rose since it was set, be it once or often.
    Pulse the line then: it was low for one CLK only, and a line that follows `out` misses the edge.
    """
    rose = p["deadline"] <= now
    if rose:
        _arm(p, now)
    return rose


@native
def port_b_read(p: np.void, now: int) -> int:
    """Return port 0x61."""
    refresh = _tick(p, now) // spec.REFRESH_TICKS & 1
    return (
        p["port_b"]
        | (spec.PORT_B_REFRESH if refresh else 0)
        | (spec.PORT_B_OUT2 if out(p, spec.SPEAKER, now) else 0)
    )


@native
def port_b_write(p: np.void, value: int, now: int) -> None:
    """Write port 0x61: bit 0 is GATE of counter 2."""
    p["port_b"] = value & spec.PORT_B_WRITABLE
    set_gate(p, spec.SPEAKER, value & spec.PORT_B_GATE, now)


@native
def _tick(p: np.void, now: int) -> int:
    return scale(now, spec.FREQUENCY, p["rate"])


@native
def _cycle(p: np.void, tick: int) -> int:
    """Return the first cycle at which that tick has come."""
    return NEVER if tick == NEVER else -scale(-tick, p["rate"], spec.FREQUENCY)


@native
def _arm(p: np.void, now: int) -> None:
    p["deadline"] = _cycle(p, _next_rise(p, 0, _settle(p, 0, now)))


@native
def _settle(p: np.void, counter: int, now: int) -> int:
    """Load the count register into the counting element if that was due by now. Return the tick of now."""
    tick = _tick(p, now)
    switch = p["switch"][counter]
    if p["written"][counter] and tick >= switch:
        shift = _high_half(p["written"][counter]) if _switch_falls(p, counter) else 0
        _load(p, counter, p["written"][counter], switch - shift)
    return tick


@native
def _load(p: np.void, counter: int, count: int, tick: int) -> None:
    """The counting element holds `count` at `tick`, and counts from there."""
    p["count"][counter] = count
    p["origin"][counter] = tick
    p["running"][counter] = 1
    p["held"][counter] = 0
    p["written"][counter] = 0
    p["switch"][counter] = NEVER


# --- the modes


@native
def _mode(p: np.void, counter: int) -> int:
    return spec.MODES[(p["control"][counter] >> spec.MODE_SHIFT) & spec.MODE_MASK]


@native
def _elapsed(p: np.void, counter: int, tick: int) -> int:
    """Ticks counted since the load; -1 until the CLK that loads."""
    if p["gate"][counter] or _mode(p, counter) in _TRIGGERED:
        return tick - p["origin"][counter]
    return p["held"][counter]


@native
def _high_half(count: int) -> int:
    """Mode 3: "OUT will be high for (N + 1)/2 counts and low for (N - 1)/2 counts"."""
    return (count + 1) // 2


@native
def _out(p: np.void, counter: int, tick: int) -> bool:
    mode, count = _mode(p, counter), p["count"][counter]
    elapsed = _elapsed(p, counter, tick)
    if mode == TERMINAL_COUNT:
        return p["running"][counter] != 0 and elapsed >= count
    if not p["running"][counter] or elapsed < 0:
        return True
    if mode == ONE_SHOT:
        return elapsed >= count
    if mode not in _PERIODIC:
        return elapsed != count
    if not p["gate"][counter] or count == 1:
        return True
    phase = elapsed % count
    return phase != count - 1 if mode == RATE else phase < _high_half(count)


@native
def _next_rise(p: np.void, counter: int, tick: int) -> int:
    """Return the tick after this one at which OUT rises next, NEVER if it will not by itself."""
    mode, origin, count = _mode(p, counter), p["origin"][counter], p["count"][counter]
    if mode in _TRIGGERED and p["switch"][counter] != NEVER:
        origin, count = p["switch"][counter], p["written"][counter]
    elif not p["running"][counter] or not (p["gate"][counter] or mode in _TRIGGERED):
        return NEVER
    if mode in _PERIODIC:
        return _next_period(p, counter, tick)
    rise = origin + count + (1 if mode in (STROBE, HARDWARE_STROBE) else 0)
    return rise if rise > tick else NEVER


@native
def _next_period(p: np.void, counter: int, tick: int) -> int:
    """Modes 2 and 3: a period begins with OUT rising. A count that waits may change this period's end."""
    count, written = p["count"][counter], p["written"][counter]
    if written:
        if not _switch_falls(p, counter):
            return p["switch"][counter]
        return p["switch"][counter] + written - _high_half(written) if written > 1 else NEVER
    if count == 1:
        return NEVER
    elapsed = max(_elapsed(p, counter, tick), 0)
    return p["origin"][counter] + (elapsed // count + 1) * count


@native
def _switch_falls(p: np.void, counter: int) -> bool:
    """Whether the new count comes in at the end of a high half of mode 3, where OUT falls."""
    passed = p["switch"][counter] - p["origin"][counter]
    return _mode(p, counter) == SQUARE and passed % p["count"][counter] != 0


@native
def _boundary(p: np.void, counter: int, tick: int) -> int:
    """Return the tick that ends the current cycle (mode 2) or half-cycle (mode 3)."""
    count = p["count"][counter]
    phase = (tick - p["origin"][counter]) % count
    if _mode(p, counter) == SQUARE and phase < _high_half(count):
        return tick - phase + _high_half(count)
    return tick - phase + count


@native
def _accept(p: np.void, counter: int, count: int, tick: int) -> None:
    """A count is complete in the count register: when does it go into the counting element?"""
    mode = _mode(p, counter)
    idle = not p["running"][counter] or p["count"][counter] == 1 or tick < p["origin"][counter]
    if mode not in _TRIGGERED and (idle or mode not in _PERIODIC):
        _load(p, counter, count, tick + 1)
        return
    p["written"][counter] = count
    if mode in _PERIODIC:
        p["switch"][counter] = _boundary(p, counter, tick) if p["gate"][counter] else NEVER


@native
def _trigger(p: np.void, counter: int, tick: int) -> None:
    """GATE rose: modes 0 and 4 go on, the others start anew with the next CLK. OUT stays until then."""
    mode = _mode(p, counter)
    count = p["written"][counter] or p["count"][counter]
    if mode in _PERIODIC and count:
        _load(p, counter, count, tick + 1)
    elif mode in _TRIGGERED and count:
        p["written"][counter] = count
        p["switch"][counter] = tick + 1
    elif p["running"][counter]:
        p["origin"][counter] = max(tick - p["held"][counter], p["origin"][counter])


# --- what software sees


@native
def _program(p: np.void, counter: int, control: int) -> None:
    """Control word: the counter stops until it gets a count."""
    p["control"][counter] = control
    p["count"][counter] = 0
    p["running"][counter] = 0
    p["written"][counter] = 0
    p["switch"][counter] = NEVER
    p["low"][counter] = -1
    p["high_next"][counter] = 0
    p["latched"][counter] = -1
    p["status"][counter] = -1


@native
def _access(p: np.void, counter: int) -> int:
    return (p["control"][counter] >> spec.ACCESS_SHIFT) & spec.ACCESS_BOTH


@native
def _write_byte(p: np.void, counter: int, byte: int, tick: int) -> None:
    access = _access(p, counter)
    if access == spec.ACCESS_BOTH and p["low"][counter] < 0:
        p["low"][counter] = byte
        if _mode(p, counter) == TERMINAL_COUNT:
            p["running"][counter] = 0  # "writing the first byte disables counting. OUT is set low"
        return
    raw = byte if access == spec.ACCESS_LSB else byte << 8
    if access == spec.ACCESS_BOTH:
        raw |= p["low"][counter]
        p["low"][counter] = -1
    _accept(p, counter, _decoded(p, counter, raw), tick)


@native
def _next_byte(p: np.void, counter: int, value: int) -> int:
    """Return the byte of `value` whose turn it is; the last one ends the latch."""
    access = _access(p, counter)
    high = access == spec.ACCESS_MSB or p["high_next"][counter] != 0
    if access == spec.ACCESS_BOTH:
        p["high_next"][counter] = 0 if high else 1
    if access != spec.ACCESS_BOTH or high:
        p["latched"][counter] = -1
    return value >> 8 if high else value & 0xFF


@native
def _modulus(p: np.void, counter: int) -> int:
    return 10000 if p["control"][counter] & spec.BCD else 65536


@native
def _decoded(p: np.void, counter: int, raw: int) -> int:
    """Return N of the sixteen bits written; zero means the largest count there is."""
    count = raw
    if p["control"][counter] & spec.BCD:
        count = (raw >> 12) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 + (raw & 15)
    return count if count else _modulus(p, counter)


@native
def _count(p: np.void, counter: int, tick: int) -> int:
    """Return the sixteen bits that the counting element shows."""
    value = _value(p, counter, max(_elapsed(p, counter, tick), 0)) % _modulus(p, counter)
    if not p["control"][counter] & spec.BCD:
        return value
    return value // 1000 << 12 | value // 100 % 10 << 8 | value // 10 % 10 << 4 | value % 10


@native
def _value(p: np.void, counter: int, elapsed: int) -> int:
    """The counting element after that many ticks; below zero it has wrapped."""
    mode, count = _mode(p, counter), p["count"][counter]
    if not p["running"][counter]:
        return 0
    if mode not in _PERIODIC:
        return count - elapsed
    phase = elapsed % count
    if mode == RATE:
        return count - phase
    half = _high_half(count)
    return count - (count & 1) - 2 * (phase if phase < half else phase - half)


@native
def _latch_count(p: np.void, counter: int, now: int) -> None:
    """A latch holds until it is read: later latch commands are ignored."""
    if p["latched"][counter] < 0:
        p["latched"][counter] = _count(p, counter, _settle(p, counter, now))


@native
def _latch_status(p: np.void, counter: int, now: int) -> None:
    if p["status"][counter] < 0:
        tick = _settle(p, counter, now)
        null = not p["running"][counter] or p["written"][counter] or tick < p["origin"][counter]
        p["status"][counter] = (
            p["control"][counter]
            | (spec.STATUS_OUT if _out(p, counter, tick) else 0)
            | (spec.STATUS_NULL if null else 0)
        )


@native
def _read_back(p: np.void, command: int, now: int) -> None:
    """Latch count, status or both of any counters."""
    for counter in range(spec.COUNTERS):
        if command >> spec.READ_BACK_COUNTER >> counter & 1:
            if not command & spec.READ_BACK_NO_COUNT:
                _latch_count(p, counter, now)
            if not command & spec.READ_BACK_NO_STATUS:
                _latch_status(p, counter, now)
