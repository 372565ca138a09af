"""Keyboard controller: IBM Personal System/2 hardware interface technical reference, May 1988.

With a keyboard that answers everything and on which nobody types. Left out: the auxiliary device (its
commands go unanswered, as on an AT), diagnostics, and the A20 gate, which is always open. Nothing takes time:
the input buffer is never full.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import i8042 as spec

# fmt: off
QUEUE = 8
I8042 = np.dtype([
    ("queue",    np.int64, QUEUE),          # bytes to be read, the first is in the output buffer
    ("count",    np.int64),
    ("last",     np.int64),                 # read last; an empty buffer gives it again
    ("status",   np.int64),                 # but for OUTPUT_FULL
    ("command",  np.int64),                 # that waits for its data, or -1
    ("argument", np.int64),                 # the keyboard's command that waits for one, or -1
    ("ram",      np.int64, spec.RAM_SIZE),  # the first is the command byte
])
# fmt: on


@native
def reset(k: np.void) -> None:
    """Put controller and keyboard into the state that a PC's firmware leaves them in."""
    k["count"] = k["last"] = 0
    k["status"] = spec.SYSTEM | spec.UNLOCKED
    k["command"] = k["argument"] = -1
    k["ram"][:] = 0
    k["ram"][0] = spec.MODE_AT_START


@native
def line(k: np.void) -> bool:
    """Level of IRQ 1."""
    return k["count"] > 0 and k["ram"][0] & spec.MODE_INTERRUPT != 0


@native
def read(k: np.void, offset: int) -> int:
    """Return status or the output buffer, which the next byte moves into."""
    if offset == spec.CONTROL:
        return k["status"] | (spec.OUTPUT_FULL if k["count"] else 0)
    if k["count"]:
        k["last"] = k["queue"][0]
        k["count"] -= 1
        for at in range(k["count"]):
            k["queue"][at] = k["queue"][at + 1]
    return k["last"]


@native
def write(k: np.void, offset: int, value: int) -> bool:
    """Write a command or data; return whether that resets the processor."""
    value &= 0xFF
    if offset == spec.CONTROL:
        k["status"] |= spec.COMMAND
        k["command"] = -1
        return _command(k, value)
    k["status"] &= ~spec.COMMAND
    command, k["command"] = k["command"], -1
    if command == spec.WRITE_OUTPUT:
        return not value & spec.OUTPUT_PORT_RESET
    if command == spec.WRITE_BUFFER:
        _put(k, value)
    elif command >= 0:
        k["ram"][command & (spec.RAM_SIZE - 1)] = value
    else:
        k["ram"][0] &= ~spec.MODE_DISABLED  # "sending data to the keyboard enables it"
        _keyboard(k, value)
    return False


@native
def _put(k: np.void, byte: int) -> None:
    if k["count"] < QUEUE:
        k["queue"][k["count"]] = byte
        k["count"] += 1


@native
def _command(k: np.void, command: int) -> bool:
    """Do a command of the controller's; return whether it pulses the reset line."""
    if command >= spec.PULSE:
        return not command & spec.OUTPUT_PORT_RESET
    if spec.READ_RAM <= command < spec.READ_RAM + spec.RAM_SIZE:
        _put(k, k["ram"][command - spec.READ_RAM])
    elif _wants_data(command):
        k["command"] = command
    elif command in (spec.DISABLE, spec.ENABLE):
        k["ram"][0] &= ~spec.MODE_DISABLED
        k["ram"][0] |= spec.MODE_DISABLED if command == spec.DISABLE else 0
    else:
        _answer(k, command)
    return False


@native
def _wants_data(command: int) -> bool:
    writes_ram = spec.WRITE_RAM <= command < spec.WRITE_RAM + spec.RAM_SIZE
    return writes_ram or command in (spec.WRITE_OUTPUT, spec.WRITE_BUFFER)


@native
def _answer(k: np.void, command: int) -> None:
    """Answer a command that asks something."""
    if command == spec.SELF_TEST:
        k["count"] = 0
        k["status"] |= spec.SYSTEM
        _put(k, spec.SELF_TEST_PASSED)
    elif command == spec.INTERFACE_TEST:
        _put(k, spec.INTERFACE_GOOD)
    elif command == spec.READ_INPUT:
        _put(k, spec.INPUT_PORT)
    elif command == spec.READ_OUTPUT:
        full = spec.OUTPUT_PORT_FULL if k["count"] else 0
        _put(k, spec.OUTPUT_PORT_RESET | spec.OUTPUT_PORT_A20 | full)


# --- the keyboard


@native
def _keyboard(k: np.void, byte: int) -> None:
    """Let the keyboard answer a command, or its argument, which no command is."""
    argument, k["argument"] = k["argument"], -1
    if argument >= 0 and byte < spec.KEYBOARD_FIRST_COMMAND:
        _put(k, spec.ACKNOWLEDGE)
        if argument == spec.KEYBOARD_SCAN_SET and byte == 0:
            _put(k, spec.SCAN_SET)
    elif byte in (spec.KEYBOARD_RESEND, spec.KEYBOARD_ECHO):
        _put(k, k["last"] if byte == spec.KEYBOARD_RESEND else byte)
    elif byte < spec.KEYBOARD_FIRST_COMMAND:
        _put(k, spec.KEYBOARD_RESEND)
    else:
        _put(k, spec.ACKNOWLEDGE)
        _obey(k, byte)


@native
def _obey(k: np.void, command: int) -> None:
    if command in (spec.KEYBOARD_LIGHTS, spec.KEYBOARD_RATE, spec.KEYBOARD_SCAN_SET):
        k["argument"] = command
    elif command == spec.KEYBOARD_RESET:
        _put(k, spec.KEYBOARD_PASSED)
    elif command == spec.KEYBOARD_IDENTIFY:
        translated = k["ram"][0] & spec.MODE_TRANSLATE
        _put(k, spec.IDENTITY[0])
        _put(k, spec.IDENTITY_TRANSLATED if translated else spec.IDENTITY[1])
