"""MC146818A real-time clock with CMOS RAM: Motorola MC146818A, 1984.

The clock is not ticked: time is that of second 0 plus the seconds gone by since, and flags are worked out
when somebody looks or `deadline` comes. Virtual time is its only source.

Left out: the square wave, daylight saving, time bases other than 32.768 kHz (the clock stands still then),
the day of week as a counter of its own (it follows from the date). The update itself takes no time: UIP is up
for the 244 us before it, and not during it. Times that do not exist carry into the next field when the clock
is let go. Changing BCD, binary, 12 or 24 hours converts the time at once; the part wants it set anew.

All arguments are int64; `now` is in cycles.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import rtc as spec

# fmt: off
RTC = np.dtype([
    ("rate",     np.int64),     # cycles per second
    ("deadline", np.int64),     # cycle at which the interrupt line rises next, or NEVER
    ("index",    np.int64),
    ("a",        np.int64),     # register A but for UIP
    ("b",        np.int64),
    ("flags",    np.int64),     # C_FLAGS, up to `seen`
    ("seen",     np.int64),     # cycle up to which flags are worked out
    ("origin",   np.int64),     # cycle at which second 0 began
    ("epoch",    np.int64),     # Unix time of second 0
    ("fields",   np.int64, 8),  # SECONDS .. CENTURY while the clock stands still
    ("ram",      np.int64, spec.RAM_SIZE),  # a byte each
])
# fmt: on

DAY = 86400
MICROSECOND = 1_000_000
ALARM_STEPS = 300
"""Enough to reach any time of day by whole hours, then minutes, then seconds, and that once more."""


@native
def reset(r: np.void, epoch: int, rate: int) -> None:
    """Power on, at `rate` cycles per second: it was Unix time `epoch` at cycle 0. RAM is cleared."""
    r["rate"] = rate
    r["deadline"] = NEVER
    r["index"] = 0
    r["a"] = spec.A_AT_RESET
    r["b"] = spec.B_AT_RESET
    r["flags"] = 0
    r["seen"] = 0
    r["origin"] = 0
    r["epoch"] = epoch
    r["ram"][:] = 0


@native
def reset_interrupts(r: np.void) -> None:
    """Pull the RESET pin: PIE, AIE, UIE and the flags are cleared; time and RAM go on."""
    r["b"] &= ~(spec.B_PIE | spec.B_AIE | spec.B_UIE)
    r["flags"] = 0
    r["deadline"] = NEVER


@native
def set_memory(r: np.void, size: int) -> None:
    """Store the size of memory in bytes where firmware looks for it."""
    extended = min(max(size - (1 << 20), 0) >> 10, 0xFFFF)
    _store16(r, spec.RAM_BASE_MEMORY, min(size >> 10, 640))
    _store16(r, spec.RAM_EXTENDED[0], extended)
    _store16(r, spec.RAM_EXTENDED[1], extended)
    _store16(r, spec.RAM_ABOVE_16M, min(max(size - (16 << 20), 0) >> 16, 0xFFFF))


@native
def read(r: np.void, offset: int, now: int) -> int:
    """Return the byte at the index register's place; that register itself cannot be read."""
    if offset == spec.INDEX:
        return 0xFF
    index = r["index"]
    field = _time_field(index)
    if field >= 0:
        return _read_time(r, field, now)
    if index == spec.A:
        return r["a"] | (spec.A_UIP if _updating(r, now) else 0)
    if index == spec.B:
        return r["b"]
    if index == spec.C:
        return _read_c(r, now)
    return spec.D_VRT if index == spec.D else r["ram"][index]


@native
def write(r: np.void, offset: int, value: int, now: int) -> None:
    """Write the index register, or the byte at its place."""
    value &= 0xFF
    if offset == spec.INDEX:
        r["index"] = value & (spec.RAM_SIZE - 1)
        return
    _advance(r, now)
    index = r["index"]
    field = _time_field(index)
    if field >= 0:
        _write_time(r, field, value, now)
    elif index == spec.A:
        _write_a(r, value & ~spec.A_UIP, now)
    elif index == spec.B:
        _write_b(r, value, now)
    elif index not in (spec.C, spec.D):
        r["ram"][index] = value
    _arm(r, now)


@native
def line(r: np.void) -> bool:
    """Level of the interrupt line, IRQ; high until C is read."""
    return r["flags"] & r["b"] & spec.C_FLAGS != 0


@native
def expire(r: np.void, now: int) -> bool:
    """Let the events up to `now` happen, however many. Return `line`."""
    _advance(r, now)
    _arm(r, now)
    return line(r)


# --- the time


@native
def _divided(r: np.void) -> bool:
    """Whether the divider chain runs."""
    return r["a"] & spec.A_DIVIDER == spec.A_32768_HZ


@native
def _running(r: np.void) -> bool:
    return _divided(r) and not r["b"] & spec.B_SET


@native
def _second(r: np.void, now: int) -> int:
    """Seconds since second 0."""
    return (now - r["origin"]) // r["rate"]


@native
def _updating(r: np.void, now: int) -> bool:
    """UIP."""
    left = r["rate"] - (now - r["origin"]) % r["rate"]
    return _running(r) and left <= scale(spec.UIP_MICROSECONDS, r["rate"], MICROSECOND)


@native
def _freeze(r: np.void, now: int) -> None:
    """Put the time into `fields`, unless they hold it already."""
    if _running(r):
        time = r["epoch"] + _second(r, now)
        _put_date(r, time // DAY)
        r["fields"][spec.HOURS] = time % DAY // 3600
        r["fields"][spec.MINUTES] = time % 3600 // 60
        r["fields"][spec.SECONDS] = time % 60


@native
def _thaw(r: np.void, now: int) -> None:
    """Go on from `fields`, if the clock runs."""
    if _running(r):
        fields = r["fields"]
        year = fields[spec.CENTURY] * 100 + fields[spec.YEAR]
        time = _days(year, fields[spec.MONTH], fields[spec.DAY]) * DAY
        time += fields[spec.HOURS] * 3600 + fields[spec.MINUTES] * 60 + fields[spec.SECONDS]
        r["epoch"] = time - _second(r, now)


@native
def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar. Years are counted from March: leap days come last."""
    months = year * 12 + month - 3
    year = months // 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (months % 12 * 153 + 2) // 5 + day - 719469


@native
def _put_date(r: np.void, days: int) -> None:
    """The inverse of `_days`, into `fields`. An era is 400 years."""
    since = days + 719468
    of_era = since % 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (year * 365 + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    year += since // 146097 * 400 + (1 if month >= 10 else 0)
    r["fields"][spec.DAY] = of_year - (month * 153 + 2) // 5 + 1
    r["fields"][spec.MONTH] = (month + 2) % 12 + 1
    r["fields"][spec.YEAR] = year % 100
    r["fields"][spec.CENTURY] = year // 100 % 100
    r["fields"][spec.WEEKDAY] = (days + 4) % 7 + 1


# --- its registers


@native
def _time_field(index: int) -> int:
    """Return which part of the time is at that index, -1 for none."""
    for field in range(len(spec.TIME_REGISTERS)):
        if spec.TIME_REGISTERS[field] == index:
            return field
    return -1


@native
def _decoded(r: np.void, field: int, raw: int) -> int:
    """Return the number that a register's byte means in the present data mode."""
    half_days = field == spec.HOURS and not r["b"] & spec.B_24H
    value = raw & ~spec.HOURS_PM if half_days else raw
    if not r["b"] & spec.B_BINARY:
        value = (value >> 4) * 10 + (value & 15)
    if half_days:
        value = value % 12 + (12 if raw & spec.HOURS_PM else 0)
    return value


@native
def _encoded(r: np.void, field: int, value: int) -> int:
    """The inverse of `_decoded`."""
    half_days = field == spec.HOURS and not r["b"] & spec.B_24H
    raw = (value + 11) % 12 + 1 if half_days else value
    if not r["b"] & spec.B_BINARY:
        raw = raw // 10 << 4 | raw % 10
    if half_days and value >= 12:
        raw |= spec.HOURS_PM
    return raw & 0xFF


@native
def _read_time(r: np.void, field: int, now: int) -> int:
    _freeze(r, now)
    return _encoded(r, field, r["fields"][field])


@native
def _write_time(r: np.void, field: int, value: int, now: int) -> None:
    _freeze(r, now)
    r["fields"][field] = _decoded(r, field, value)
    _thaw(r, now)


@native
def _write_a(r: np.void, value: int, now: int) -> None:
    """Once the divider chain is let go, "the first update cycle begins one-half second later"."""
    _freeze(r, now)
    held = not _divided(r)
    r["a"] = value
    if held and _divided(r):
        r["origin"] = now - r["rate"] // 2
    _thaw(r, now)


@native
def _write_b(r: np.void, value: int, now: int) -> None:
    """SET going high clears UIE."""
    _freeze(r, now)
    if value & spec.B_SET and not r["b"] & spec.B_SET:
        value &= ~spec.B_UIE
    r["b"] = value
    _thaw(r, now)


@native
def _read_c(r: np.void, now: int) -> int:
    """Return the flags and clear them, and the interrupt with them."""
    _advance(r, now)
    value = r["flags"] | (spec.C_IRQF if line(r) else 0)
    r["flags"] = 0
    _arm(r, now)
    return value


@native
def _store16(r: np.void, index: int, value: int) -> None:
    r["ram"][index] = value & 0xFF
    r["ram"][index + 1] = value >> 8


# --- flags


@native
def _advance(r: np.void, now: int) -> None:
    """Raise the flags of all that happened since `seen`."""
    if _divided(r):
        if _periods(r, now) != _periods(r, r["seen"]):
            r["flags"] |= spec.C_PF
        before, after = _second(r, r["seen"]), _second(r, now)
        if after > before and _running(r):
            r["flags"] |= spec.C_UF
            if _next_alarm(r, before) <= after:
                r["flags"] |= spec.C_AF
    r["seen"] = now


@native
def _arm(r: np.void, now: int) -> None:
    """Nothing can raise a line that is high already: no deadline until C is read."""
    r["deadline"] = NEVER
    if line(r) or not _divided(r):
        return
    if r["b"] & spec.B_PIE:
        r["deadline"] = min(r["deadline"], _next_period(r, now))
    if not _running(r):
        return
    second = _second(r, now)
    if r["b"] & spec.B_UIE:
        r["deadline"] = min(r["deadline"], _start(r, second + 1))
    if r["b"] & spec.B_AIE:
        r["deadline"] = min(r["deadline"], _start(r, _next_alarm(r, second)))


@native
def _start(r: np.void, second: int) -> int:
    """Return the cycle at which a second starts."""
    return NEVER if second == NEVER else r["origin"] + second * r["rate"]


@native
def _period(r: np.void) -> int:
    """Length of the periodic interrupt's period in ticks of the time base, table 5; 0: none."""
    select = r["a"] & spec.A_RATE
    if select == 0:
        return 0
    return 1 << (select - 1 if select > 2 else select + 6)


@native
def _periods(r: np.void, now: int) -> int:
    """Periods since second 0."""
    period = _period(r)
    return scale(now - r["origin"], spec.TIME_BASE, r["rate"]) // period if period else 0


@native
def _next_period(r: np.void, now: int) -> int:
    """Return the first cycle of the next period."""
    if _period(r) == 0:
        return NEVER
    tick = (_periods(r, now) + 1) * _period(r)
    return r["origin"] - scale(-tick, r["rate"], spec.TIME_BASE)


@native
def _alarm(r: np.void, field: int) -> int:
    """Return the hour, minute or second of the alarm, -1 for any."""
    raw = r["ram"][spec.ALARM_REGISTERS[field]]
    return -1 if raw & spec.ALARM_ANY == spec.ALARM_ANY else _decoded(r, field, raw)


@native
def _next_alarm(r: np.void, second: int) -> int:
    """Return the first second after that one at which the alarm matches, NEVER if none does."""
    hours, minutes, seconds = _alarm(r, spec.HOURS), _alarm(r, spec.MINUTES), _alarm(r, spec.SECONDS)
    time = r["epoch"] + second + 1
    for _ in range(ALARM_STEPS):
        if hours not in (-1, time % DAY // 3600):
            time += 3600 - time % 3600
        elif minutes not in (-1, time % 3600 // 60):
            time += 60 - time % 60
        elif seconds not in (-1, time % 60):
            time += 1
        else:
            return time - r["epoch"]
    return NEVER
