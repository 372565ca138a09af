"""Consoles kept: every byte of each kernel, and when it was written."""

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mksim.machine.machine import Machine
from mksim.observe.console import FIRMWARE_NAME, readable
from mksim.observe.screen import Screen


class Line(NamedTuple):
    """A line of a console, fit to be shown, and when its first byte was written, in cycles."""

    when: int
    text: str


@dataclass(slots=True)
class Console:
    """What one kernel has written so far."""

    data: bytearray = field(default_factory=bytearray)
    times: "array[int]" = field(default_factory=lambda: array("q"))
    """Of each byte, in cycles."""
    most: int = 1 << 62
    """How many bytes are kept, the first ones."""
    dropped: int = 0

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def lines(self) -> list[Line]:
        """Return the lines, the one that never ended included."""
        found, start = [], 0
        for line in self.data.splitlines(keepends=True):
            found.append(Line(self.times[start], readable(bytes(line))))
            start += len(line)
        return found

    def take(self, data: bytes, times: np.ndarray) -> None:
        """Add some bytes."""
        room = max(0, self.most - len(self.data))
        self.dropped += max(0, len(data) - room)
        self.data += data[:room]
        self.times.frombytes(times[:room].astype(np.int64).tobytes())

    def cut(self, length: int) -> None:
        """Forget what came behind so many bytes."""
        del self.data[length:]
        del self.times[length:]


class Transcript:
    """The consoles of a machine from now on, by kernel's name; the firmware's is among them.

    The first `most` bytes of each are kept.
    """

    def __init__(self, machine: Machine, *, most: int = 1 << 62) -> None:
        self._machine = machine
        names = [life.kernel.name for life in machine.lives]
        self.consoles = {name: Console(most=most) for name in (*names, FIRMWARE_NAME)}
        self._by_number = list(self.consoles.values())
        machine.consoles.append(self._hear)
        if (owner := machine.layout.screen_owner) is not None:
            console = self.consoles[owner.name]
            machine.screens.append(Screen(lambda: machine.screen, lambda row: self._tell(console, row)))

    def _hear(self, written: np.ndarray) -> None:
        for number in np.unique(written["kernel"]):
            if 0 <= number < len(self._by_number):  # a UART may be nobody's
                mine = written[written["kernel"] == number]
                self._by_number[number].take(mine["byte"].tobytes(), mine["when"])

    def _tell(self, console: Console, row: str) -> None:
        """Take a row of the text screen, as a line."""
        data = f"{row}\n".encode()
        console.take(data, np.full(len(data), self._machine.now))
