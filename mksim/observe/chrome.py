"""Traces in the Trace Event Format: a process per kernel, a thread per core, an arrow per message.

As the Perfetto UI and chrome://tracing read it ("Trace Event Format", Google 2016, and Perfetto's
"Visualizing external trace formats"): times are microseconds, here with the nanoseconds behind the point.
"""

import json
from collections import defaultdict
from typing import Any, TextIO

import numpy as np

from mksim.fabric.ledger import Act
from mksim.machine.machine import Machine
from mksim.machine.names import MODES, owner_name
from mksim.observe.tracks import FIRST_THREAD, Tracks


class Chrome(Tracks):
    """Writes one file. Slices say when a core ran, instants which interrupts it took and where it crossed."""

    def __init__(self, machine: Machine, stream: TextIO) -> None:
        super().__init__(machine)
        self._stream = stream
        self._counts: dict[tuple[str, int], int] = defaultdict(int)
        stream.write('{"displayTimeUnit":"ns","traceEvents":[\n')
        self._name_all()
        for core in self._awake():
            self._wake(core, machine.now)

    def finish(self) -> None:
        """Close what is open, so that the file is whole."""
        for core in sorted(self._running):
            self._close(core, self._machine.now)
        for core, when, name in self._ends():
            self._write("i", core, when, name=name, s="p")
        self._stream.write('{"name":"end","ph":"M","pid":0,"args":{}}\n]}\n')

    def _name_all(self) -> None:
        for core, home in enumerate(self._homes):
            self._write("M", core, 0, name="process_name", args={"name": owner_name(self._machine, home)})
            self._write("M", core, 0, name="thread_name", args={"name": f"core {core}"})

    def _write(self, phase: str, core: int, when: int, **more: Any) -> None:
        time = when * 1_000_000 / self._machine.layout.rate
        place = {"ph": phase, "pid": self._pid(core), "tid": FIRST_THREAD + core, "ts": round(time, 3)}
        self._stream.write(json.dumps(place | more, separators=(",", ":")) + ",\n")

    def _count(self, name: str, core: int, when: int) -> None:
        process = self._pid(core)
        self._counts[name, process] += 1
        self._write("C", core, when, name=name, args={"number": self._counts[name, process]})

    def _wake(self, core: int, when: int) -> None:
        if core not in self._running:
            self._running.add(core)
            self._write("B", core, when, name="run")

    def _woke(self, event: np.void) -> None:
        self._wake(int(event["core"]), int(event["when"]))
        self._land(event)

    def _close(self, core: int, when: int) -> None:
        self._write("E", core, when)

    def _interrupted(self, event: np.void) -> None:
        name = f"interrupt {int(event['value']):#x}"
        self._write("i", int(event["core"]), int(event["when"]), name=name, s="t")
        self._land(event)

    def _message(self, event: np.void) -> None:
        """Begin an arrow where a core has sent a message; it ends where the addressee notices."""
        if not event["flag"]:
            return
        sender, when = int(event["core"]), int(event["when"])
        what = {"vector": f"{int(event['value']):#x}", "mode": MODES[event["mode"]]}
        self._write("s", sender, when, name="message", cat="message", id=self._arrows.sent(event), args=what)
        self._count("messages", sender, when)

    def _land(self, event: np.void) -> None:
        core, when = int(event["core"]), int(event["when"])
        for number in self._arrows.landed(event):
            self._write("f", core, when, name="message", cat="message", id=number, bp="e")

    def _crossing(self, event: np.void) -> None:
        core, when = int(event["core"]), int(event["when"])
        target = owner_name(self._machine, int(event["other"]))
        name = f"{Act(event['mode']).name.lower()} {int(event['value']):#x} of {target}"
        what = {"granted": bool(event["flag"]), "rip": f"{int(event['until']) & (1 << 64) - 1:#x}"}
        self._write("i", core, when, name=name, s="t", cat="crossing", args=what)
        if not event["flag"]:
            self._count("violations", core, when)
