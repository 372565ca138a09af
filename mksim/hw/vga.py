"""A VGA's registers in text mode: Intel OpenSource HD Graphics PRM, volume 1 part 3, May 2010.

Its memory is plain DRAM at 0xb8000, which no register moves: no planes, no fonts, no graphics. What the
registers hold reads back; of them the start address counts, and the cursor. After power-on it is in mode 3,
as a PC's firmware leaves it. Retraces follow from the time.

All arguments are int64; `offset` is from port 0x3c0, `now` in cycles.
"""

import numpy as np

from mksim.clock.time import scale
from mksim.compiled import native
from mksim.spec import vga as spec

# fmt: off
VGA = np.dtype([
    ("rate",      np.int64),                 # cycles per second
    ("misc",      np.int64),
    ("feature",   np.int64),
    ("sr_index",  np.int64),
    ("gr_index",  np.int64),
    ("cr_index",  np.int64),
    ("ar_index",  np.int64),                 # AR_ENABLE included
    ("ar_data",   np.int64),                 # 1: the next write to 0x3c0 is data
    ("dac_mask",  np.int64),
    ("dac_index", np.int64),                 # colour * 3 + part, of the next read or write
    ("dac_state", np.int64),                 # 3: reading, 0: writing
    ("sr",        np.uint8, spec.SR_COUNT),
    ("gr",        np.uint8, spec.GR_COUNT),
    ("ar",        np.uint8, spec.AR_COUNT),
    ("cr",        np.uint8, spec.CR_COUNT),
    ("dac",       np.uint8, 256 * 3),
])
# fmt: on

_ONES = 0xFF


@native
def reset(v: np.void, rate: int) -> None:
    """Power on, and set mode 3, at `rate` cycles per second. The palette is black but for nobody to see."""
    v["rate"] = rate
    v["misc"], v["feature"] = spec.MISC, 0
    v["sr_index"] = v["gr_index"] = v["cr_index"] = v["ar_data"] = 0
    v["ar_index"] = spec.AR_ENABLE
    v["dac_mask"], v["dac_index"], v["dac_state"] = _ONES, 0, 0
    _fill(v["sr"], spec.SEQUENCER)
    _fill(v["gr"], spec.GRAPHICS)
    _fill(v["ar"], spec.ATTRIBUTE)
    _fill(v["cr"], spec.CRT)
    v["dac"][:] = 0


@native
def _fill(registers: np.ndarray, values: tuple[int, ...]) -> None:
    registers[:] = 0
    for index in range(len(values)):
        registers[index] = values[index]


@native
def start(v: np.void) -> int:
    """Return the character of its memory that the screen begins with."""
    return _pair(v, spec.CR_START_HIGH)


@native
def cursor(v: np.void) -> int:
    """Return the character of its memory that the cursor is on."""
    return _pair(v, spec.CR_CURSOR_HIGH)


@native
def _pair(v: np.void, high: int) -> int:
    return np.int64(v["cr"][high]) << 8 | np.int64(v["cr"][high + 1])  # type: ignore[return-value]


@native
def read(v: np.void, offset: int, now: int) -> int:
    """Return the register at `offset`; ones where there is none."""
    if offset == spec.STATUS_1:
        v["ar_data"] = 0
        return _status_1(v, now)
    if offset == spec.DAC_DATA:
        return _read_dac(v)
    if offset in (spec.AR_INDEX, spec.AR_DATA, spec.SR_DATA, spec.GR_DATA, spec.CR_DATA):
        return _read_indexed(v, offset)
    return _read_plain(v, offset)


@native
def _read_plain(v: np.void, offset: int) -> int:
    value = _ONES
    if offset == spec.SR_INDEX:
        value = v["sr_index"]
    elif offset == spec.GR_INDEX:
        value = v["gr_index"]
    elif offset == spec.CR_INDEX:
        value = v["cr_index"]
    elif offset == spec.MISC_READ:
        value = v["misc"]
    elif offset == spec.MISC_WRITE:
        value = 0  # ST00: no interrupt, no monitor sensed
    elif offset == spec.FCR_READ:
        value = v["feature"]
    elif offset == spec.DAC_MASK:
        value = v["dac_mask"]
    elif offset == spec.DAC_STATE:
        value = v["dac_state"]
    elif offset == spec.DAC_WRITE:
        value = v["dac_index"] // 3
    return value


@native
def _read_indexed(v: np.void, offset: int) -> int:
    if offset == spec.AR_INDEX:
        return v["ar_index"]
    if offset == spec.AR_DATA:
        return np.int64(v["ar"][v["ar_index"] & (spec.AR_COUNT - 1)])  # type: ignore[return-value]
    if offset == spec.SR_DATA:
        return np.int64(v["sr"][v["sr_index"]])  # type: ignore[return-value]
    if offset == spec.GR_DATA:
        return np.int64(v["gr"][v["gr_index"]])  # type: ignore[return-value]
    return np.int64(v["cr"][v["cr_index"]])  # type: ignore[return-value]


@native
def write(v: np.void, offset: int, value: int) -> None:
    """Write the register at `offset`."""
    value &= 0xFF
    if offset == spec.AR_INDEX:
        _write_attribute(v, value)
    elif offset == spec.MISC_WRITE:
        v["misc"] = value
    elif offset == spec.STATUS_1:
        v["feature"] = value
    elif offset == spec.SR_INDEX:
        v["sr_index"] = value & (spec.SR_COUNT - 1)
    elif offset == spec.GR_INDEX:
        v["gr_index"] = value & (spec.GR_COUNT - 1)
    elif offset == spec.CR_INDEX:
        v["cr_index"] = value & (spec.CR_COUNT - 1)
    elif offset == spec.SR_DATA:
        v["sr"][v["sr_index"]] = value
    elif offset == spec.GR_DATA:
        v["gr"][v["gr_index"]] = value
    elif offset == spec.CR_DATA:
        _write_crt(v, value)
    else:
        _write_dac(v, offset, value)


@native
def _write_attribute(v: np.void, value: int) -> None:
    """Index and data come to the same port, § 2.5; reading ST01 makes the next one an index."""
    if v["ar_data"]:
        v["ar"][v["ar_index"] & (spec.AR_COUNT - 1)] = value
    else:
        v["ar_index"] = value & (spec.AR_ENABLE | (spec.AR_COUNT - 1))
    v["ar_data"] ^= 1


@native
def _write_crt(v: np.void, value: int) -> None:
    index = v["cr_index"]
    if index <= spec.CR_OVERFLOW and v["cr"][spec.CR_PROTECT] & spec.CR_PROTECTED:
        if index != spec.CR_OVERFLOW:
            return
        value = v["cr"][index] & ~spec.CR_OVERFLOW_FREE | value & spec.CR_OVERFLOW_FREE
    v["cr"][index] = value


@native
def _status_1(v: np.void, now: int) -> int:
    parts = scale(now, spec.LINES_PER_SECOND * spec.LINE_PARTS, v["rate"])
    row = parts // spec.LINE_PARTS % spec.LINES
    blank = row >= spec.LINES_SHOWN or parts % spec.LINE_PARTS >= spec.LINE_PARTS_SHOWN
    retrace = spec.RETRACE_FIRST <= row <= spec.RETRACE_LAST
    return (spec.STATUS_1_BLANK if blank else 0) | (spec.STATUS_1_RETRACE if retrace else 0)


# --- the palette: three bytes of six bits a colour, § 2.6


@native
def _next_part(v: np.void) -> int:
    part = v["dac_index"]
    v["dac_index"] = (part + 1) % (256 * 3)
    return part


@native
def _read_dac(v: np.void) -> int:
    return np.int64(v["dac"][_next_part(v)])  # type: ignore[return-value]


@native
def _write_dac(v: np.void, offset: int, value: int) -> None:
    if offset == spec.DAC_MASK:
        v["dac_mask"] = value
    elif offset == spec.DAC_DATA:
        v["dac"][_next_part(v)] = value & 0x3F
    elif offset in (spec.DAC_STATE, spec.DAC_WRITE):
        v["dac_index"] = value * 3
        v["dac_state"] = 3 if offset == spec.DAC_STATE else 0
