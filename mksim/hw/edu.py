"""QEMU's educational device: docs/specs/edu.rst of QEMU. It computes factorials, interrupts, and does DMA.

Deviations: a DMA that leaves its buffer does nothing (QEMU gives up); an access of eight bytes may come as
two of four. All arguments are int64; values of 64 bits are signed.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import edu as spec

# fmt: off
EDU = np.dtype([
    ("liveness",    np.int64),
    ("factorial",   np.int64),
    ("status",      np.int64),
    ("interrupts",  np.int64),
    ("dma",         np.int64, 4),       # source, destination, count, command
    ("computed",    np.int64),          # when the factorial is there, or NEVER
    ("moved",       np.int64),          # when the DMA is done, or NEVER
    ("rate",        np.int64),          # cycles per second
    ("latency",     np.int64),          # cycles that whatever it does takes at least
    ("buffer",      np.uint8, spec.BUFFER_SIZE),
])
# fmt: on

_ONES = -1
_COMMAND = 3
_SECOND = 1_000_000_000


@native
def reset(e: np.void, rate: int, latency: int) -> None:
    """Power on."""
    e["liveness"] = e["factorial"] = e["status"] = e["interrupts"] = 0
    e["dma"][:] = 0
    e["computed"] = e["moved"] = NEVER
    e["rate"], e["latency"] = rate, latency
    e["buffer"][:] = 0


@native
def deadline(e: np.void) -> int:
    """Return when it does something by itself."""
    return min(e["computed"], e["moved"])


@native
def read(e: np.void, offset: int, size: int) -> int:
    """Read a register."""
    if size == 8 and offset >= spec.WIDE and offset & 7 == 0:
        return _wide(e, offset)
    if size != 4 or offset & 3:
        return _ONES
    value = _wide(e, offset & ~7) >> (8 * (offset & 4)) if offset >= spec.WIDE else _narrow(e, offset)
    return value & 0xFFFFFFFF


@native
def _narrow(e: np.void, offset: int) -> int:
    if offset == spec.ID:
        return spec.IDENTIFICATION
    if offset == spec.LIVENESS:
        return ~e["liveness"]
    if offset == spec.FACTORIAL:
        return e["factorial"]
    if offset == spec.STATUS:
        return e["status"]
    return e["interrupts"] if offset == spec.INTERRUPTS else _ONES


@native
def _wide(e: np.void, offset: int) -> int:
    number = (offset - spec.DMA_SOURCE) >> 3
    return e["dma"][number] if 0 <= number <= _COMMAND else _ONES


@native
def write(e: np.void, offset: int, size: int, value: int, now: int) -> bool:
    """Write a register; return whether that raises an interrupt."""
    if offset >= spec.WIDE:
        _write_wide(e, offset, size, value, now)
        return False
    if size != 4:
        return False
    value &= 0xFFFFFFFF
    if offset == spec.LIVENESS:
        e["liveness"] = value
    elif offset == spec.FACTORIAL:
        _compute(e, value, now)
    elif offset == spec.STATUS:
        e["status"] = e["status"] & ~spec.STATUS_INTERRUPT | value & spec.STATUS_INTERRUPT
    elif offset == spec.ACKNOWLEDGE:
        e["interrupts"] &= ~value
    elif offset == spec.RAISE:
        e["interrupts"] |= value
        return e["interrupts"] != 0
    return False


@native
def _compute(e: np.void, value: int, now: int) -> None:
    """Begin with a factorial, unless one is being computed."""
    if not e["status"] & spec.STATUS_COMPUTING:
        e["status"] |= spec.STATUS_COMPUTING
        e["factorial"] = value
        e["computed"] = now + _takes(e, spec.FACTORIAL_NS)


@native
def _takes(e: np.void, nanoseconds: int) -> int:
    return max(scale(nanoseconds, e["rate"], _SECOND), e["latency"], 1)


@native
def _write_wide(e: np.void, offset: int, size: int, value: int, now: int) -> None:
    """Write a register of the DMA's; none takes anything while it runs."""
    number = (offset - spec.DMA_SOURCE) >> 3
    if number > _COMMAND or e["dma"][_COMMAND] & spec.DMA_RUN or offset & 3 or size < 4:
        return
    if size == 4 and offset & 4:
        e["dma"][number] = (value & 0xFFFFFFFF) << 32 | e["dma"][number] & 0xFFFFFFFF
    else:
        e["dma"][number] = value if size == 8 else value & 0xFFFFFFFF
    if number == _COMMAND and e["dma"][_COMMAND] & spec.DMA_RUN:
        e["moved"] = now + _takes(e, spec.DMA_NS + min(max(e["dma"][2], 0), spec.BUFFER_SIZE))


@native
def finish_factorial(e: np.void) -> bool:
    """Put the factorial, modulo 2^32, where its argument was; return whether that raises an interrupt."""
    product = np.int64(1)
    for factor in range(2, min(e["factorial"], 34) + 1):  # 34! is 0 modulo 2^32
        product = product * factor & 0xFFFFFFFF
    e["factorial"], e["computed"] = product, NEVER
    e["status"] &= ~spec.STATUS_COMPUTING
    if e["status"] & spec.STATUS_INTERRUPT:
        e["interrupts"] |= spec.FACTORIAL_DONE
        return True
    return False


@native
def to_memory(e: np.void) -> bool:
    """Tell in which direction the DMA goes."""
    return e["dma"][_COMMAND] & spec.DMA_TO_MEMORY != 0


@native
def in_memory(e: np.void) -> int:
    """Return the DMA's address in memory."""
    return e["dma"][1 if to_memory(e) else 0] & spec.DMA_MASK


@native
def in_buffer(e: np.void) -> int:
    """Return where in the buffer the DMA begins; -1 if it is not all in there."""
    at, count = e["dma"][0 if to_memory(e) else 1] - spec.BUFFER, e["dma"][2]
    inside = 0 <= at <= spec.BUFFER_SIZE and 0 < count <= spec.BUFFER_SIZE - at
    return at if inside else np.int64(-1)  # type: ignore[return-value]


@native
def finish_dma(e: np.void) -> bool:
    """End the DMA; return whether that raises an interrupt."""
    e["moved"] = NEVER
    e["dma"][_COMMAND] &= ~spec.DMA_RUN
    if e["dma"][_COMMAND] & spec.DMA_INTERRUPT:
        e["interrupts"] |= spec.DMA_DONE
        return True
    return False


@native
def line(e: np.void) -> bool:
    """Level of INTA#."""
    return e["interrupts"] != 0
