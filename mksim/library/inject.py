"""Faults and messages from outside: what no kernel did. Each makes another run, and the same one every time.

They act between two slices. What is in flight between kernels is a heap (fabric/message.py); an array in
order is one.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mksim.engine import panel, records
from mksim.fabric.message import MESSAGE, SERIAL
from mksim.machine.machine import Machine
from mksim.machine.names import MODES

_ORDER = ("when", "priority", "serial")


def in_flight(machine: Machine) -> np.ndarray:
    """Return the messages in flight as MESSAGE records, in the order in which they arrive; a copy."""
    board = machine.board
    return np.sort(board.message_heap[: int(board.messages["count"][0])], order=_ORDER)


def _fly(machine: Machine, messages: np.ndarray) -> None:
    """Have exactly these in flight."""
    board = machine.board
    if len(messages) > len(board.message_heap):
        raise ValueError(f"no more than {len(board.message_heap)} messages can be in flight")
    board.message_heap[: len(messages)] = np.sort(messages, order=_ORDER)
    board.messages["count"] = len(messages)


def _numbered(machine: Machine, message: np.ndarray) -> np.ndarray:
    """Return a message as the newest one of the queue."""
    message["serial"] = machine.board.messages["serial"]
    machine.board.messages["serial"] += 1
    return message


def interrupt(machine: Machine, core: int, vector: int, mode: str = "fixed") -> None:
    """Send an interrupt message to a core, from nobody; it arrives at once. ValueError if it cannot."""
    if mode not in MODES or not 0 <= core < len(machine.board.cores) or not 0 <= vector < 256:
        raise ValueError(f"cannot send vector {vector} in mode {mode!r} to core {core}")
    message = np.zeros(1, MESSAGE)
    message["when"], message["target"] = machine.now, core
    message["sender"] = message["source"] = -1
    message["mode"], message["vector"] = MODES.index(mode), vector
    _fly(machine, np.concatenate([in_flight(machine), _numbered(machine, message)]))


def flip(machine: Machine, address: int, bit: int) -> None:
    """Flip a bit of the byte of DRAM at a physical address; IndexError where there is none."""
    if not 0 <= address < len(machine.board.memory) or not 0 <= bit < 8:
        raise IndexError(f"there is no bit {bit} at {address:#x}")
    machine.board.memory[address] ^= 1 << bit
    for engine in machine.engines:
        engine.flush()  # it may be code that is translated


def kill(machine: Machine, core: int) -> None:
    """Stop a core for ever: no message wakes it. Only a restart of its kernel by the machine starts it."""
    if not 0 <= core < len(machine.board.cores):
        raise IndexError(f"there is no core {core}")
    panel.rest(machine.board.address, core, records.STOPPED)


class Fate(Enum):
    """What becomes of a message."""

    DROP = "drop"
    DOUBLE = "double"
    """It arrives once more, a latency later: at one time, two interrupts of one vector are one."""


@dataclass(slots=True)
class Mishap:
    """What is to become of the next interrupt, after `spared` others, from one kernel to another."""

    fate: Fate
    sender: int
    receiver: int
    spared: int = 0


class Mishaps:
    """Those that are still to come, of one machine. `look` must be called after each slice."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waiting: list[Mishap] = []
        self._next = 0
        """Serial of the first message that was not looked at."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, mishap: Mishap) -> None:
        """Wait for one more; messages that are in flight already are not meant."""
        self._waiting.append(mishap)
        self._next = int(self._machine.board.messages["serial"][0])

    def look(self) -> None:
        """Let happen what is to happen to the messages sent since the last look."""
        flying = in_flight(self._machine)
        new = np.sort(flying[(flying["serial"] >= self._next) & (flying["mode"] < SERIAL)], order="serial")
        for message in new:
            self._meet(message)
        self._next = int(self._machine.board.messages["serial"][0])

    def _meet(self, message: np.void) -> None:
        homes = self._machine.board.cores["home"]
        ends = (int(homes[message["sender"]]), int(homes[message["target"]]))
        for mishap in [one for one in self._waiting if (one.sender, one.receiver) == ends]:
            mishap.spared -= 1
            if mishap.spared < 0:
                self._waiting.remove(mishap)
                self._strike(mishap.fate, message)
                return

    def _strike(self, fate: Fate, message: np.void) -> None:
        flying = in_flight(self._machine)
        if fate is Fate.DROP:
            _fly(self._machine, flying[flying["serial"] != message["serial"]])
        else:
            twin = np.array([message], MESSAGE)
            twin["when"] += self._machine.layout.latency
            _fly(self._machine, np.concatenate([flying, _numbered(self._machine, twin)]))
