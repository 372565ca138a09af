"""UARTs in their sockets: their interrupt lines, their kernels' consoles, and wires from one to another.

A wire is a null modem: what one end sends, the other receives; DTR is the other's DSR and DCD, RTS its CTS. A
character arrives the machine's latency after its last bit was sent, as messages between kernels do, so nobody
who receives it has come that far yet. What a wire carries is no crossing: both ends agreed to it.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.entry import outlined
from mksim.engine.interrupts import HEAP, drive_line, request, shorten
from mksim.engine.qemu import pointer
from mksim.engine.records import (
    CONSOLE_BYTE,
    CONSOLE_FULL,
    CONSOLE_SIZE,
    ENGINE,
    MACHINE,
    SAID,
    SLICE_OVER,
    UART_WIRE,
    happen,
    kernel_of,
)
from mksim.fabric.message import MESSAGE, SERIAL, SERIAL_BREAK, SERIAL_LINES, STATE, push
from mksim.hw import uart16550
from mksim.hw.uart16550 import BREAK, UART
from mksim.spec.uart import MCR_DTR, MCR_RTS, MSR_CTS, MSR_DCD, MSR_DSR


@native
def uart_of(machine: np.void, unit: int) -> np.void:
    """Return the record of UART number `unit`."""
    return carray(pointer(machine["uarts"]), machine["n_uarts"], UART)[unit]


@native
def wire_of(machine: np.void, unit: int) -> np.void:
    """Return where UART number `unit` is plugged in."""
    return carray(pointer(machine["uart_wires"]), machine["n_uarts"], UART_WIRE)[unit]


@native
def show(machine: np.void, kernel: int, byte: int, when: int) -> bool:
    """Put a byte on a kernel's console; return True if it is time to take them out of the buffer."""
    count = machine["console_count"]
    if count < CONSOLE_SIZE:
        out = carray(pointer(machine["console"]), CONSOLE_SIZE, CONSOLE_BYTE)[count]
        out["when"], out["kernel"], out["byte"] = when, kernel, byte
        machine["console_count"] = count + 1
    happen(machine, (when << 24) ^ (kernel << 8) ^ byte)
    return count >= CONSOLE_FULL


@native
def says(kernel: np.void, byte: int) -> bool:
    """Match one more byte of a kernel's console (Knuth, Morris and Pratt); True at the end of its text."""
    size, matched = kernel["awaited_size"], kernel["matched"]
    while matched > 0 and kernel["awaited"][matched] != byte:
        matched = np.int64(kernel["fallback"][matched - 1])
    if size > 0 and kernel["awaited"][matched] == byte:
        matched += 1
    kernel["matched"] = 0 if matched == size else matched
    return size > 0 and matched == size


@outlined(ENGINE, MACHINE)
def console(engine: np.void, machine: np.void, kernel: int, byte: int) -> None:
    """Put a byte of the running core on a kernel's console; the slice ends before the buffer is full."""
    if show(machine, kernel, byte, engine["time"]):
        request(engine, SLICE_OVER)
    if kernel == engine["kernel"] and says(kernel_of(machine, kernel), byte):
        request(engine, SAID)


@outlined(ENGINE, MACHINE)
def read_uart(engine: np.void, machine: np.void, unit: int, offset: int) -> int:
    """Read a register of a UART."""
    value = uart16550.read(uart_of(machine, unit), offset, engine["time"])
    if wire_of(machine, unit)["peer"] >= 0:
        rearm(machine)
        shorten(engine, machine["serial_deadline"])
    follow(machine, unit, engine["time"])
    return value


@outlined(ENGINE, MACHINE)
def write_uart(engine: np.void, machine: np.void, unit: int, offset: int, value: int) -> None:
    """Write a register of a UART; a character that leaves by that goes to the console."""
    now, chip, wire = engine["time"], uart_of(machine, unit), wire_of(machine, unit)
    before = uart16550.outputs(chip)
    byte = uart16550.write(chip, offset, value, now)
    if byte >= 0 and wire["shown"] != 0:
        console(engine, machine, np.int64(wire["owner"]), byte)
    if wire["peer"] >= 0:
        after = uart16550.outputs(chip)
        if after != before:
            send(machine, unit, SERIAL_LINES, after, now)
            shorten(engine, now + 2 * machine["latency"])  # not before an answer could be there
        rearm(machine)
        shorten(engine, machine["serial_deadline"])
    follow(machine, unit, now)


@outlined(MACHINE)
def follow(machine: np.void, unit: int, now: int) -> None:
    """Let the interrupt line follow the pins of all of its kernel's UARTs that share it."""
    wire = wire_of(machine, unit)
    if wire["irq"] < 0 or wire["owner"] < 0:
        return
    level, other = uart16550.line(uart_of(machine, unit)), np.int64(wire["sharer"])
    while other != unit:
        level = level or uart16550.line(uart_of(machine, other))
        other = np.int64(wire_of(machine, other)["sharer"])
    drive_line(machine, np.int64(wire["owner"]), np.int64(wire["irq"]), level, now)


@native
def rearm(machine: np.void) -> None:
    """Work out when the next UART does something by itself."""
    deadline = NEVER
    for unit in range(machine["n_uarts"]):
        deadline = min(deadline, uart_of(machine, unit)["deadline"])
    machine["serial_deadline"] = deadline


@outlined(MACHINE)
def tick_serial(machine: np.void, now: int) -> None:
    """Let the UARTs do what is due: characters leave, and time out."""
    for unit in range(machine["n_uarts"]):
        chip = uart_of(machine, unit)
        if chip["deadline"] <= now:
            character = uart16550.expire(chip, now)
            if character >= 0:
                leave(machine, unit, character, now)
            follow(machine, unit, now)
    rearm(machine)


@native
def leave(machine: np.void, unit: int, character: int, now: int) -> None:
    """Carry what has left a UART to the other end of its wire, and to the console if it is one."""
    wire = wire_of(machine, unit)
    if character == BREAK:
        send(machine, unit, SERIAL_BREAK, 0, now)
        return
    send(machine, unit, SERIAL, character, now)
    if wire["shown"] != 0:
        show(machine, np.int64(wire["owner"]), character, now)


@outlined(MACHINE)
def send(machine: np.void, unit: int, kind: int, data: int, now: int) -> None:
    """Put something on a UART's wire. Should too much be in flight, it arrives at once."""
    heap = carray(pointer(machine["message_heap"]), HEAP, MESSAGE)
    state = carray(pointer(machine["messages"]), 1, STATE)[0]
    peer = np.int64(wire_of(machine, unit)["peer"])
    if not push(heap, state, now + machine["latency"], unit, peer, kind, data, 0):
        arrive_serial(machine, peer, kind, data, now)


@outlined(MACHINE)
def arrive_serial(machine: np.void, unit: int, kind: int, data: int, when: int) -> None:
    """Hand a UART what comes in by its wire."""
    happen(machine, (when << 24) ^ (unit << 16) ^ (kind << 8) ^ data)
    chip = uart_of(machine, unit)
    if kind == SERIAL_LINES:
        crossed = MSR_DSR | MSR_DCD if data & MCR_DTR else 0
        uart16550.set_modem(chip, crossed | (MSR_CTS if data & MCR_RTS else 0))
    else:
        uart16550.receive(chip, BREAK if kind == SERIAL_BREAK else data, when)
    rearm(machine)
    follow(machine, unit, when)
