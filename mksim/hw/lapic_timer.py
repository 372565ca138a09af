"""The local APIC's timer: Intel SDM vol. 3A, 12.5.4. One-shot (and mode 3), periodic, TSC-deadline.

The input clock ticks once a cycle, before the divider. Nothing counts: a running timer is the time when it
reaches zero, in `expiry`, and all else follows from the time now. `deadline` is the same time where somebody
has to call `elapse` then, else NEVER: a masked periodic timer wakes nobody.

All times are int64 cycles; the record is `mksim.hw.lapic_core.LAPIC`.
"""

import numpy as np

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.spec import apic as spec


@native
def stop(apic: np.void) -> None:
    """Leave the timer as after RESET: count 0, nothing armed."""
    apic["initial"] = 0
    apic["tsc_deadline"] = 0
    apic["expiry"] = NEVER
    apic["deadline"] = NEVER


@native
def divisor(apic: np.void) -> int:
    """Return input ticks per count: 1 to 128 (figure 12-10: bits 3, 1 and 0; 111 divides by one)."""
    code = (apic["divide"] & 3) | (apic["divide"] >> 1 & 4)
    return 1 << (code + 1 & 7)


@native
def periodic(apic: np.void) -> bool:
    """Say whether it starts again by itself."""
    return apic["lvt"][spec.TIMER] & spec.LVT_TIMER_MODE == spec.LVT_PERIODIC


@native
def tsc_mode(apic: np.void) -> bool:
    """Say whether it waits for IA32_TSC_DEADLINE."""
    return apic["lvt"][spec.TIMER] & spec.LVT_TIMER_MODE == spec.LVT_DEADLINE


@native
def _wake(apic: np.void) -> None:
    silent = apic["lvt"][spec.TIMER] & spec.LVT_MASKED != 0 and periodic(apic)
    apic["deadline"] = NEVER if silent else apic["expiry"]


@native
def elapse(apic: np.void, now: int) -> bool:
    """Bring the timer to `now`; say whether it reached zero since the last call (once, however many periods).

    A periodic timer stays in phase: its next expiry is a whole number of periods after its start.
    """
    late = now - apic["expiry"]
    if late < 0:
        return False
    if periodic(apic):
        period = apic["initial"] * divisor(apic)
        apic["expiry"] += period * (1 + late // period)
    else:
        apic["expiry"] = NEVER
        apic["tsc_deadline"] = 0  # 12.5.4.1: it disarms itself
    _wake(apic)
    return True


@native
def current(apic: np.void, now: int) -> int:
    """Return the current count (12.5.4), whether or not `elapse` was called in time; 0 when stopped."""
    if tsc_mode(apic) or apic["expiry"] == NEVER:
        return 0
    left, step = apic["expiry"] - now, divisor(apic)
    if left <= 0 and periodic(apic):
        period = apic["initial"] * step
        left = period - -left % period
    return max((left + step - 1) // step, 0)


@native
def _run(apic: np.void, count: int, now: int) -> None:
    apic["expiry"] = now + count * divisor(apic) if count > 0 else NEVER
    _wake(apic)


@native
def load(apic: np.void, count: int, now: int) -> None:
    """Write the initial count: starts the timer, 0 stops it. Ignored in TSC-deadline mode (12.5.4.1)."""
    if not tsc_mode(apic):
        apic["initial"] = count
        _run(apic, count, now)


@native
def set_divide(apic: np.void, value: int, now: int) -> None:
    """Write the divide configuration; a running count goes on at the new pace, as the manual leaves open."""
    count = current(apic, now)
    apic["divide"] = value
    if not tsc_mode(apic):
        _run(apic, count, now)


@native
def set_vector(apic: np.void, value: int) -> None:
    """Write the timer's local vector. To or from TSC-deadline mode disarms the timer (12.5.4.1).

    Between one-shot and periodic the count goes on. The caller has called `elapse` in the old mode.
    """
    before = tsc_mode(apic)
    apic["lvt"][spec.TIMER] = value
    if before != tsc_mode(apic):
        stop(apic)
    _wake(apic)


@native
def set_tsc_deadline(apic: np.void, value: int, offset: int) -> None:
    """Write IA32_TSC_DEADLINE for a TSC `offset` ahead of the time. 0 disarms; ignored in other modes.

    A time gone by expires at once. What is negative in int64 lies 2**63 ahead.
    """
    if tsc_mode(apic):
        apic["tsc_deadline"] = value
        apic["expiry"] = min(value - offset, NEVER) if value > 0 else NEVER
        _wake(apic)
