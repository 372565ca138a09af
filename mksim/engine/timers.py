"""The board's timers: when the next of them is due, and what their pins do then."""

import numpy as np
from numba import carray, njit

from mksim.clock.time import NEVER
from mksim.engine.interrupts import drive_line
from mksim.engine.native import pointer
from mksim.engine.serial import tick_serial
from mksim.hw import pit8254, rtc
from mksim.hw.pit8254 import PIT
from mksim.hw.rtc import RTC

IRQ_TIMER, IRQ_CLOCK = 0, 8


@njit(cache=True, error_model="numpy")
def pit_of(machine: np.void) -> np.void:
    """Return the record of the 8254."""
    return carray(pointer(machine["pit"]), 1, PIT)[0]


@njit(cache=True, error_model="numpy")
def rtc_of(machine: np.void) -> np.void:
    """Return the record of the real-time clock."""
    return carray(pointer(machine["rtc"]), 1, RTC)[0]


@njit(cache=True, error_model="numpy")
def next_legacy(machine: np.void) -> int:
    """Return when the next of the timers is due that a board has one of."""
    if machine["legacy_kernel"] < 0:
        return NEVER
    return min(pit_of(machine)["deadline"], rtc_of(machine)["deadline"])


@njit(cache=True, error_model="numpy")
def next_timer(machine: np.void) -> int:
    """Return when the next of the board's timers is due."""
    return min(next_legacy(machine), machine["serial_deadline"])


@njit(cache=True, error_model="numpy")
def after_timers(machine: np.void, now: int) -> None:
    """Let the lines of the legacy timers follow their pins."""
    owner = machine["legacy_kernel"]
    if owner >= 0:
        drive_line(machine, owner, IRQ_TIMER, pit8254.out(pit_of(machine), 0, now), now)
        drive_line(machine, owner, IRQ_CLOCK, rtc.line(rtc_of(machine)), now)


@njit(cache=True, error_model="numpy")
def tick(machine: np.void, now: int) -> None:
    """Let the board's timers fire that are due."""
    if machine["serial_deadline"] <= now:
        tick_serial(machine, now)
    if next_legacy(machine) <= now:
        tick_legacy(machine, now)


@njit(cache=True, error_model="numpy")
def tick_legacy(machine: np.void, now: int) -> None:
    """Let 8254 and RTC do what is due."""
    if pit8254.expire(pit_of(machine), now):
        # OUT is high again by now in modes 2 to 4: the edge is what counts
        drive_line(machine, machine["legacy_kernel"], IRQ_TIMER, False, now)
    rtc.expire(rtc_of(machine), now)
    after_timers(machine, now)
