"""I/O ports: from a port number to a chip's register, and what the chip's pins do then.

A port belongs to one owner, or (`SHARED`) every kernel has one of its own at that number. A kernel that
touches another's port crosses. Ports where nobody is read as ones.
"""

from enum import IntEnum

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine.crossings import IN, OUT, cross, exact_rip
from mksim.engine.devices import functions
from mksim.engine.entry import entry, outlined
from mksim.engine.interrupts import follow_pic, pic_of, shorten
from mksim.engine.iomap import check_ports
from mksim.engine.machinecheck import BUS_IO, throw
from mksim.engine.own import (
    drive_test_line,
    hand_off,
    leave,
    read_control_a,
    read_item,
    read_keyboard,
    read_post,
    read_power,
    read_test_word,
    select_item,
    write_control_a,
    write_debug,
    write_keyboard,
    write_post,
    write_power,
    write_reset,
    write_test_word,
)
from mksim.engine.pci import pci_of, write_data_port
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE, core_of, engine_at, env_at, machine_at
from mksim.engine.screen import vga_of
from mksim.engine.serial import read_uart, write_uart
from mksim.engine.timers import after_timers, next_timer, pit_of, rtc_of
from mksim.fabric.ownership import FIRMWARE
from mksim.hw import pci_config, pic8259, pit8254, rtc, vga


class Device(IntEnum):
    """What answers at a port; the unit is the chip's offset, or the UART's number in the upper bits."""

    NONE = 0
    PIC = 1
    ELCR = 2
    PIT = 3
    SYSTEM_CONTROL_B = 4
    KEYBOARD = 5
    RTC = 6
    POST = 7
    SYSTEM_CONTROL_A = 8
    DEBUG_CONSOLE = 9
    DEBUG_EXIT = 10
    HAND_OFF = 11
    RESET_CONTROL = 12
    PM = 13
    UART = 14
    VGA = 15
    PCI_ADDRESS = 16
    PCI_DATA = 17
    FW_CFG = 18
    TEST_WORD = 19
    TEST_LINE = 20


_NONE, _PIC, _ELCR, _PIT, _CONTROL_B, _KEYBOARD, _RTC, _POST, _CONTROL_A = range(9)
_DEBUG_CONSOLE, _DEBUG_EXIT, _HAND_OFF, _RESET, _PM, _UART, _VGA = range(9, 16)
_PCI_ADDRESS, _PCI_DATA, _FW_CFG, _TEST_WORD, _TEST_LINE = range(16, 21)


@native
def retimed(engine: np.void, machine: np.void) -> None:
    """After a legacy timer was touched, let its line follow, and the slice end when it is due next."""
    after_timers(machine, engine["time"])
    shorten(engine, next_timer(machine))


@outlined(ENGINE, MACHINE)
def read_register(engine: np.void, machine: np.void, device: int, unit: int) -> int:
    """Read a byte of a chip; ones where there is none to read."""
    now = engine["time"]
    if device == _UART:
        return read_uart(engine, machine, unit >> 3, unit & 7)
    if device == _PIC:
        value = pic8259.read(pic_of(machine), unit >> 1, unit & 1)
        follow_pic(machine, now)
        return value
    if device == _ELCR:
        return pic8259.read_elcr(pic_of(machine), unit)
    if device == _PIT:
        return pit8254.read(pit_of(machine), unit, now)
    if device == _CONTROL_B:
        return pit8254.port_b_read(pit_of(machine), now)
    if device == _RTC:
        value = rtc.read(rtc_of(machine), unit, now)
        retimed(engine, machine)
        return value
    if device == _VGA:
        return vga.read(vga_of(machine), unit, now)
    return read_own(engine, machine, device, unit)


@outlined(ENGINE, MACHINE)
def read_own(engine: np.void, machine: np.void, device: int, unit: int) -> int:
    """Read a byte of what every kernel has for itself, or of what only answers to wider accesses."""
    if device == _KEYBOARD:
        return read_keyboard(engine, machine, unit)
    if device == _FW_CFG:
        return read_item(engine, machine, unit)
    if device == _CONTROL_A:
        return read_control_a(engine)
    if device == _POST:
        return read_post(engine, machine)
    if device == _DEBUG_CONSOLE:
        return 0xE9
    if device == _TEST_WORD:
        return read_test_word(engine, machine, unit)
    return 0xFF if device == _PCI_ADDRESS else 0


@outlined(ENGINE, MACHINE)
def write_register(engine: np.void, machine: np.void, device: int, unit: int, value: int) -> None:
    """Write a byte of a chip."""
    now = engine["time"]
    if device == _UART:
        write_uart(engine, machine, unit >> 3, unit & 7, value)
    elif device == _PIC:
        pic8259.write(pic_of(machine), unit >> 1, unit & 1, value)
        follow_pic(machine, now)
    elif device == _ELCR:
        pic8259.write_elcr(pic_of(machine), unit, value)
        follow_pic(machine, now)
    elif device == _PIT:
        pit8254.write(pit_of(machine), unit, value, now)
        retimed(engine, machine)
    elif device == _CONTROL_B:
        pit8254.port_b_write(pit_of(machine), value, now)
    elif device == _RTC:
        rtc.write(rtc_of(machine), unit, value, now)
        retimed(engine, machine)
    elif device == _VGA:
        vga.write(vga_of(machine), unit, value)
    else:
        write_own(engine, machine, device, unit, value)


@outlined(ENGINE, MACHINE)
def write_own(engine: np.void, machine: np.void, device: int, unit: int, value: int) -> None:
    """Write a byte of what every kernel has for itself."""
    if device == _DEBUG_CONSOLE:
        write_debug(engine, machine, value)
    elif device == _KEYBOARD:
        write_keyboard(engine, machine, unit, value)
    elif device == _POST:
        write_post(engine, machine, value)
    elif device == _CONTROL_A:
        write_control_a(engine, value)
    elif device == _RESET:
        write_reset(engine, value)
    elif device == _TEST_WORD:
        write_test_word(engine, machine, unit, value)
    elif device == _TEST_LINE:
        drive_test_line(engine, machine, unit, value)


@native
def is_wide(device: int, size: int) -> bool:
    """Tell whether a device takes an access of that size as a whole, not byte by byte."""
    if device == _PCI_ADDRESS:
        return size == 4
    if device == _FW_CFG:
        return size == 2
    return device in (_DEBUG_EXIT, _HAND_OFF, _PM, _PCI_DATA)


@outlined(ENGINE, MACHINE)
def read_wide(engine: np.void, machine: np.void, device: int, unit: int, size: int) -> int:
    """Read a register as a whole."""
    if device == _PM:
        return read_power(engine, machine, unit, size)
    if device == _PCI_ADDRESS:
        return pci_config.read_address(pci_of(machine))
    if device == _PCI_DATA:
        return pci_config.read_data(pci_of(machine), functions(machine), unit, min(size, 4 - unit))
    return 0


@outlined(ENGINE, MACHINE)
def write_wide(engine: np.void, machine: np.void, device: int, unit: int, size: int, value: int) -> None:
    """Write a register as a whole."""
    if device == _DEBUG_EXIT:
        leave(engine, value)
    elif device == _HAND_OFF:
        hand_off(engine, machine, value)
    elif device == _PM:
        write_power(engine, machine, unit, size, value)
    elif device == _FW_CFG:
        select_item(engine, machine, value)
    elif device == _PCI_ADDRESS:
        pci_config.write_address(pci_of(machine), value)
    elif device == _PCI_DATA:
        write_data_port(engine, machine, unit, min(size, 4 - unit), value)


@native
def port_granted(machine: np.void, who: int, port: int) -> bool:
    """Tell whether a kernel may touch a port of another's."""
    grants = carray(pointer(machine["port_grants"] + who * 8192), 8192, np.uint8)
    return who >= 0 and (grants[port >> 3] >> (port & 7)) & 1 != 0


@native
def foreign_port(machine: np.void, who: int, port: int, size: int) -> tuple[int, bool]:
    """Return the first of `size` ports that another kernel owns, and whether it and the others are granted.

    One that is not granted counts before one that is; -1 if there is none. The firmware may touch any.
    """
    owners = carray(pointer(machine["port_owner"]), 1 << 16, np.int16)
    found = -1
    for at in range(port, port + size):
        owner = np.int64(owners[at & 0xFFFF])
        if owner >= 0 and owner != who and who != FIRMWARE:
            if not port_granted(machine, who, at & 0xFFFF):
                return at & 0xFFFF, False
            found = at & 0xFFFF if found < 0 else found
    return found, True


@outlined(ENGINE, MACHINE)
def allowed(engine: np.void, machine: np.void, port: int, size: int, act: int) -> bool:
    """Record a touch of another's port, any of the access's; return False if it must not happen."""
    core = core_of(machine, engine["core"])
    foreign, granted = foreign_port(machine, np.int64(core["owner"]), port, size)
    if foreign < 0:
        return True
    owner = np.int64(carray(pointer(machine["port_owner"]), 1 << 16, np.int16)[foreign])
    rip = exact_rip(engine)
    cross(machine, engine["core"], engine["time"], rip, act, foreign, size, owner, granted)
    if granted or machine["guard"] == 0:
        return True
    throw(engine, core, BUS_IO, foreign, 0)
    return False


@native
def read_port(engine: np.void, machine: np.void, port: int, size: int) -> int:
    """Read 1, 2 or 4 bytes from consecutive ports, as the bus splits them."""
    devices = carray(pointer(machine["port_device"]), 1 << 16, np.uint8)
    units = carray(pointer(machine["port_unit"]), 1 << 16, np.uint16)
    if is_wide(np.int64(devices[port]), size):
        return read_wide(engine, machine, np.int64(devices[port]), np.int64(units[port]), size)
    value = 0
    for byte in range(size):
        at = (port + byte) & 0xFFFF
        device = np.int64(devices[at])
        part = 0xFF if device == _NONE else read_register(engine, machine, device, np.int64(units[at])) & 0xFF
        value |= part << (8 * byte)
    return value


@native
def write_port(engine: np.void, machine: np.void, port: int, size: int, value: int) -> None:
    """Write 1, 2 or 4 bytes to consecutive ports, as the bus splits them."""
    devices = carray(pointer(machine["port_device"]), 1 << 16, np.uint8)
    units = carray(pointer(machine["port_unit"]), 1 << 16, np.uint16)
    if is_wide(np.int64(devices[port]), size):
        write_wide(engine, machine, np.int64(devices[port]), np.int64(units[port]), size, value)
        return
    for byte in range(size):
        at = (port + byte) & 0xFFFF
        device, unit = np.int64(devices[at]), np.int64(units[at])
        write_register(engine, machine, device, unit, (value >> (8 * byte)) & 0xFF)


@entry(types.uint32(types.uintp, types.uint32, types.int32, types.uintp))
def on_in(_uc: int, port: int, size: int, engine_address: int) -> np.uint32:
    """UC_HOOK_INSN, IN and INS."""
    engine = engine_at(np.int64(engine_address))
    machine = machine_at(engine["machine"])
    check_ports(engine, env_at(engine["env"]), np.int64(port) & 0xFFFF, np.int64(size))
    if not allowed(engine, machine, np.int64(port) & 0xFFFF, np.int64(size), IN):
        return np.uint32(0xFFFFFFFF)
    return np.uint32(read_port(engine, machine, np.int64(port) & 0xFFFF, np.int64(size)))


@entry(types.void(types.uintp, types.uint32, types.int32, types.uint32, types.uintp))
def on_out(_uc: int, port: int, size: int, value: int, engine_address: int) -> None:
    """UC_HOOK_INSN, OUT and OUTS."""
    engine = engine_at(np.int64(engine_address))
    machine = machine_at(engine["machine"])
    check_ports(engine, env_at(engine["env"]), np.int64(port) & 0xFFFF, np.int64(size))
    if allowed(engine, machine, np.int64(port) & 0xFFFF, np.int64(size), OUT):
        write_port(engine, machine, np.int64(port) & 0xFFFF, np.int64(size), np.int64(value))
