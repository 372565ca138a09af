"""What a report is made from: consoles with their times, and events that tell when a core ran and sent."""

from itertools import groupby

import numpy as np

from mksim.engine.records import RUNNING
from mksim.engine.tracing import EVENT, SENT, SLEPT, WOKE
from mksim.fabric.ownership import NOBODY
from mksim.machine.machine import Machine
from mksim.observe.transcript import Transcript

MOST = 2_000_000
"""Events that are kept, the first ones: 80 MB."""
MOST_SAID = 4 << 20
"""Bytes of each console, likewise."""


class Evidence:
    """Sees a machine from now on."""

    def __init__(self, machine: Machine, transcript: Transcript | None = None) -> None:
        self.machine = machine
        self.transcript = transcript or Transcript(machine, most=MOST_SAID)
        self._running = np.flatnonzero(machine.board.cores["state"] == RUNNING)
        self._since = machine.now
        self._parts = [np.zeros(0, EVENT)]
        self._left = MOST
        self.dropped = 0
        """Events beyond those."""
        machine.trace(self._take)

    def _take(self, events: np.ndarray) -> None:
        events = events[np.isin(events["kind"], (WOKE, SLEPT, SENT))]
        self.dropped += max(0, len(events) - self._left)
        self._parts.append(events[: self._left])
        self._left -= len(self._parts[-1])

    def put_back(self, length: int) -> None:
        """Forget all events but the first ones, as the machine is back where it had seen no others."""
        kept = self.events()[:length]
        self._left += sum(map(len, self._parts)) - len(kept)
        self._parts, self.dropped = [kept], 0

    def events(self) -> np.ndarray:
        """Return what was seen, as EVENT records in order."""
        return np.concatenate(self._parts)

    def runs(self) -> dict[int, list[tuple[int, int]]]:
        """Return when each core ran, in cycles, as far as events were kept."""
        events = self.events()
        known = int(events["when"].max(initial=0)) if self.dropped else self.machine.now
        runs: dict[int, list[tuple[int, int]]] = {core: [] for core in range(len(self.machine.board.cores))}
        since = {int(core): self._since for core in self._running}
        for event in events[events["kind"] != SENT][["kind", "core", "when"]].tolist():
            kind, core, when = event
            if kind == WOKE:
                since.setdefault(core, when)
            elif core in since:
                runs[core].append((since.pop(core), when))
        for core, when in since.items():
            runs[core].append((when, max(when, known)))
        return runs

    def messages(self) -> np.ndarray:
        """Return the messages that a kernel's core has sent to another kernel's, as EVENT records."""
        events = self.events()
        flew = events["until"] > events["when"]  # what the firmware sends arrives at once
        sent = events[(events["kind"] == SENT) & (events["flag"] != 0) & flew]
        homes = self.machine.board.cores["home"]
        ends = homes[sent["core"]], homes[sent["other"]]
        return sent[(ends[0] != ends[1]) & (ends[0] != NOBODY) & (ends[1] != NOBODY)]


def busy(runs: list[tuple[int, int]], end: int, columns: int) -> np.ndarray:
    """Return which part of each of so many equal columns of time a core ran in, from 0 to 1."""
    if not runs or end <= 0:
        return np.zeros(columns)
    times = np.maximum.accumulate(np.array(runs, np.float64).reshape(-1))
    steps = np.diff(times, prepend=times[0])
    steps[::2] = 0  # between two runs nothing is done
    at = np.interp(np.linspace(0, end, columns + 1), times, np.cumsum(steps))
    return np.clip(np.diff(at) * columns / end, 0, 1)


def levels(parts: np.ndarray) -> list[tuple[int, int, int]]:
    """Return (first column, columns, level 1 to 3) of where a core ran: a third of the time, two, or more."""
    rough = np.where(parts <= 0, 0, np.minimum(3, 1 + (parts * 3).astype(int)))
    found, start = [], 0
    for level, group in groupby(rough.tolist()):
        length = len(list(group))
        if level:
            found.append((start, length, level))
        start += length
    return found
