"""What every kernel has for itself at the same ports: who ends, resets, asks or types there means itself.

The keyboard controller, power management, the firmware configuration, the debug console, POST codes, the test
device that QEMU calls pc-testdev, and the ports that end a kernel. Their interrupts are the kernel's own.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.interrupts import drive_line, drive_pin, request, shorten
from mksim.engine.qemu import pointer
from mksim.engine.records import (
    HAND_OFF,
    KERNEL_EXIT,
    KERNEL_RESET,
    PARK,
    POWER_OFF,
    clock,
    core_of,
    kernel_of,
)
from mksim.engine.serial import console
from mksim.engine.timers import after_power, next_timer
from mksim.fabric.ownership import FIRMWARE
from mksim.hw import acpi_pm, fw_cfg, i8042
from mksim.hw.fw_cfg import ITEM

IRQ_KEYBOARD = 1
ISA_LINES = 16
_PARK_ME = 0xFFFFFFFF
_A20_OPEN = 2
_FAST_RESET, _CPU_RESET = 1, 4  # system control port A, bit 0; reset control, bit 2
_SELECTOR = 0


@native
def after_keyboard(engine: np.void, machine: np.void) -> None:
    """Let IRQ 1 follow the output buffer; each byte is an edge of its own."""
    kernel = np.int64(engine["kernel"])
    drive_line(machine, kernel, IRQ_KEYBOARD, False, engine["time"])
    level = i8042.line(kernel_of(machine, kernel)["keyboard"])
    drive_line(machine, kernel, IRQ_KEYBOARD, level, engine["time"])


@native
def read_keyboard(engine: np.void, machine: np.void, offset: int) -> int:
    """Read a byte of the keyboard controller."""
    value = i8042.read(kernel_of(machine, engine["kernel"])["keyboard"], offset)
    if offset == 0:
        after_keyboard(engine, machine)
    return value


@native
def write_keyboard(engine: np.void, machine: np.void, offset: int, value: int) -> None:
    """Write a byte of the keyboard controller."""
    if i8042.write(kernel_of(machine, engine["kernel"])["keyboard"], offset, value):
        request(engine, KERNEL_RESET)
    else:
        after_keyboard(engine, machine)


@native
def read_power(engine: np.void, machine: np.void, offset: int, size: int) -> int:
    """Read a register of power management, its timer among them."""
    return acpi_pm.read(kernel_of(machine, engine["kernel"])["pm"], offset, size, clock(engine, machine))


@native
def write_power(engine: np.void, machine: np.void, offset: int, size: int, value: int) -> None:
    """Write a register of power management: that may be the kernel's end."""
    power = kernel_of(machine, engine["kernel"])["pm"]
    if acpi_pm.write(power, offset, size, value, engine["time"]) != 0:
        request(engine, POWER_OFF)
    if engine["kernel"] == machine["legacy_kernel"]:
        after_power(machine, engine["time"])
        shorten(engine, next_timer(machine))


@native
def select_item(engine: np.void, machine: np.void, key: int) -> None:
    """Begin to read an item of the firmware configuration."""
    items = carray(pointer(machine["fw_items"]), machine["n_fw_items"], ITEM)
    fw_cfg.select(kernel_of(machine, engine["kernel"])["fw_cfg"], items, key)


@native
def read_item(engine: np.void, machine: np.void, offset: int) -> int:
    """Read the next byte of the item of the firmware configuration; the selector cannot be read."""
    if offset == _SELECTOR:
        return 0
    data = carray(pointer(machine["fw_data"]), machine["n_fw_data"], np.uint8)
    return fw_cfg.read(kernel_of(machine, engine["kernel"])["fw_cfg"], data)


@native
def read_post(engine: np.void, machine: np.void) -> int:
    """Read the POST code that was written last."""
    return np.int64(kernel_of(machine, engine["kernel"])["post"])  # type: ignore[return-value]


@native
def write_post(engine: np.void, machine: np.void, value: int) -> None:
    """Write a POST code."""
    kernel_of(machine, engine["kernel"])["post"] = value


@native
def read_control_a(_engine: np.void) -> int:
    """Read system control port A: the A20 gate is open."""
    return _A20_OPEN


@native
def write_control_a(engine: np.void, value: int) -> None:
    """Write system control port A: bit 0 resets."""
    if value & _FAST_RESET:
        request(engine, KERNEL_RESET)


@native
def write_reset(engine: np.void, value: int) -> None:
    """Write the reset control register."""
    if value & _CPU_RESET:
        request(engine, KERNEL_RESET)


@native
def write_debug(engine: np.void, machine: np.void, value: int) -> None:
    """Write a byte to the debug console."""
    console(engine, machine, np.int64(engine["kernel"]), value & 0xFF)


@native
def read_test_word(engine: np.void, machine: np.void, byte: int) -> int:
    """Read a byte of the test device's word."""
    return (kernel_of(machine, engine["kernel"])["test_word"] >> (8 * byte)) & 0xFF


@native
def write_test_word(engine: np.void, machine: np.void, byte: int, value: int) -> None:
    """Write a byte of the test device's word."""
    kernel = kernel_of(machine, engine["kernel"])
    kernel["test_word"] = kernel["test_word"] & ~(0xFF << (8 * byte)) | value << (8 * byte)


@native
def drive_test_line(engine: np.void, machine: np.void, pin: int, value: int) -> None:
    """Drive a line as the test device is told: an ISA interrupt, or a pin of the I/O APIC beyond these."""
    kernel, level = np.int64(engine["kernel"]), value != 0
    if pin < ISA_LINES:
        drive_line(machine, kernel, pin, level, engine["time"])
    else:
        drive_pin(machine, kernel, pin, level, engine["time"])


@native
def leave(engine: np.void, code: int) -> None:
    """End the kernel with an exit code."""
    engine["exit_code"] = code
    request(engine, KERNEL_EXIT)


@native
def hand_off(engine: np.void, machine: np.void, value: int) -> None:
    """Hand the core over to its kernel, or park it there; only the firmware can."""
    if core_of(machine, engine["core"])["owner"] == FIRMWARE:
        request(engine, PARK if value == _PARK_ME else HAND_OFF)
