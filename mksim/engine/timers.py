"""The board's timers: when the next of them is due, and what their pins do then."""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.devices import tick_devices
from mksim.engine.entry import outlined
from mksim.engine.interrupts import drive_line, drive_pin, shorten
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE, kernel_of
from mksim.engine.serial import tick_serial
from mksim.hw import acpi_pm, hpet, pit8254, rtc
from mksim.hw.hpet import HPET
from mksim.hw.pit8254 import PIT
from mksim.hw.rtc import RTC
from mksim.spec.acpi import ACPI_SCI_IRQ

IRQ_TIMER, IRQ_CLOCK, IRQ_SCI = 0, 8, ACPI_SCI_IRQ
FIRST_PIN, LAST_PIN = 20, 23
"""Pins of the I/O APIC that the HPET can use."""


@native
def pit_of(machine: np.void) -> np.void:
    """Return the record of the 8254."""
    return carray(pointer(machine["pit"]), 1, PIT)[0]


@native
def rtc_of(machine: np.void) -> np.void:
    """Return the record of the real-time clock."""
    return carray(pointer(machine["rtc"]), 1, RTC)[0]


@native
def hpet_of(machine: np.void) -> np.void:
    """Return the record of the HPET."""
    return carray(pointer(machine["hpet"]), 1, HPET)[0]


@native
def power_of(machine: np.void) -> np.void:
    """Return the record of the ACPI fixed hardware of the kernel that owns the legacy chips."""
    return kernel_of(machine, machine["legacy_kernel"])["pm"]


@native
def next_legacy(machine: np.void) -> int:
    """Return when the next of the timers is due that a board has one of."""
    if machine["legacy_kernel"] < 0:
        return NEVER
    chips = min(pit_of(machine)["deadline"], rtc_of(machine)["deadline"], hpet_of(machine)["deadline"])
    return min(chips, power_of(machine)["deadline"])


@native
def next_timer(machine: np.void) -> int:
    """Return when the next of the board's timers is due."""
    return min(next_legacy(machine), machine["serial_deadline"], machine["device_deadline"])


@outlined(MACHINE)
def after_timers(machine: np.void, now: int) -> None:
    """Let the lines of 8254 and RTC follow their pins, unless the HPET has replaced them."""
    owner = machine["legacy_kernel"]
    if owner >= 0 and not hpet.replaces_legacy(hpet_of(machine)):
        drive_line(machine, owner, IRQ_TIMER, pit8254.out(pit_of(machine), 0, now), now)
        drive_line(machine, owner, IRQ_CLOCK, rtc.line(rtc_of(machine)), now)


@outlined(MACHINE)
def after_power(machine: np.void, now: int) -> None:
    """Let the SCI of the kernel that owns the legacy chips follow its events."""
    drive_line(machine, machine["legacy_kernel"], IRQ_SCI, acpi_pm.line(power_of(machine), now), now)


@outlined(MACHINE)
def after_hpet(machine: np.void, now: int) -> None:
    """Let the lines that the HPET has follow its timers: an edge is a pulse."""
    owner, chip = machine["legacy_kernel"], hpet_of(machine)
    edges, levels = hpet.take_edges(chip), hpet.levels(chip)
    if owner < 0:
        return
    if hpet.replaces_legacy(chip):
        for irq in (IRQ_TIMER, IRQ_CLOCK):
            if edges >> irq & 1:
                drive_line(machine, owner, irq, False, now)
                drive_line(machine, owner, irq, True, now)
            drive_line(machine, owner, irq, levels >> irq & 1 != 0, now)
    for pin in range(FIRST_PIN, LAST_PIN + 1):
        if edges >> pin & 1:
            drive_pin(machine, owner, pin, True, now)
        drive_pin(machine, owner, pin, levels >> pin & 1 != 0, now)


@outlined(MACHINE)
def read_hpet(machine: np.void, offset: int, now: int) -> int:
    """Read 32 bits of the HPET's block."""
    chip = hpet_of(machine)
    value = hpet.read(chip, offset & ~3, now) >> (8 * (offset & 3))
    if chip["deadline"] <= now:
        after_hpet(machine, now)
    return value


@outlined(ENGINE, MACHINE)
def write_hpet(engine: np.void, machine: np.void, offset: int, size: int, value: int) -> None:
    """Write to the HPET's block; other than 32 bits at once are undefined (1.0a, 2.3.2), and do nothing."""
    if offset & 3 or size != 4:
        return
    hpet.write(hpet_of(machine), offset, value, engine["time"])
    after_hpet(machine, engine["time"])
    after_timers(machine, engine["time"])
    shorten(engine, next_timer(machine))


@outlined(MACHINE)
def tick(machine: np.void, now: int) -> None:
    """Let the board's timers fire that are due."""
    if machine["serial_deadline"] <= now:
        tick_serial(machine, now)
    if machine["device_deadline"] <= now:
        tick_devices(machine, now)
    if next_legacy(machine) <= now:
        tick_legacy(machine, now)


@native
def tick_legacy(machine: np.void, now: int) -> None:
    """Let 8254, RTC and HPET do what is due."""
    if hpet_of(machine)["deadline"] <= now:
        hpet.expire(hpet_of(machine), now)
        after_hpet(machine, now)
    if pit8254.expire(pit_of(machine), now) and not hpet.replaces_legacy(hpet_of(machine)):
        # OUT is high again by now in modes 2 to 4: the edge is what counts
        drive_line(machine, machine["legacy_kernel"], IRQ_TIMER, False, now)
    rtc.expire(rtc_of(machine), now)
    after_timers(machine, now)
    if acpi_pm.expire(power_of(machine), now):
        after_power(machine, now)
