"""The live status line: virtual time, speed, idleness; on a terminal only, never in a console's way."""

import time
from typing import TextIO

from mksim.machine.machine import Machine

PERIOD = 0.25
"""Seconds of host time between two updates."""


class Status:
    """Redraws one line at the bottom of `stream`; does nothing where that is no terminal."""

    def __init__(self, machine: Machine, stream: TextIO, *, quiet: bool) -> None:
        self._machine = machine
        self._stream = stream
        self._shown = False
        self._live = stream.isatty() and not quiet
        self._start = self._last = time.perf_counter()
        self._instructions = 0

    def update(self) -> None:
        """Draw the line anew if it is time."""
        now = time.perf_counter()
        if self._live and now - self._last >= PERIOD:
            self.clear()
            self._stream.write(self._line(now))
            self._stream.flush()
            self._shown, self._last, self._instructions = True, now, self._machine.instructions

    def _line(self, now: float) -> str:
        machine = self._machine
        host, virtual = now - self._start, machine.nanoseconds / 1e9
        mips = (machine.instructions - self._instructions) / (now - self._last) / 1e6
        offered = machine.now * len(machine.layout.apic_ids)
        idle = 100 * (1 - machine.instructions / offered) if offered else 0
        return f"vt {virtual:.3f}s rt {host:.1f}s {mips:.0f} MIPS idle {idle:.0f}% (Ctrl-C ends)"

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._shown = False
