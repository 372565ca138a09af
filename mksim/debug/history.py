"""Back in time: snapshots on the way, and the run from one of them on, which is the same again.

A moment is how many instructions the whole machine has run, and where the core that was stopped stands. What
a core did last, and where a breakpoint was hit last, is found by running again up to now: from shortly
before, then from ever earlier.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from mksim.debug.control import EVERYBODY, PHYSICAL, WRITES, Debugger, Stop, Watch, Why
from mksim.machine.devices import Writes
from mksim.machine.snapshot import Snapshot, restore, take

INTERVAL = 100_000_000
"""Instructions between two snapshots: as many as are run again in a fraction of a second."""
_ROOM = 1 << 30
"""Bytes that all snapshots may take; then every other one is dropped, and the interval is doubled."""
_NEAR = 256
"""Instructions before now where the search begins; each time it finds nothing, it begins so much earlier:"""
_FARTHER = 16
_TIES = 64
"""Stops at which the whole machine has run as many instructions: interrupts, exceptions."""


_HITS = (Why.BREAKPOINT, Why.WATCHPOINT, Why.CAUGHT, Why.DMA, Why.CHANGED)


class Moment(NamedTuple):
    """When and where the machine stands; two stops at one moment are the same stop."""

    progress: int
    core: int
    rip: int
    own: int
    """Instructions of that core alone."""


class Send(NamedTuple):
    """An interrupt message: when, who has sent it, which of his it was, to whom."""

    progress: int
    sender: int
    number: int
    target: int
    vector: int


@dataclass(slots=True)
class Point:
    """A snapshot, when it is of, and what had been told by then."""

    progress: int
    snapshot: Snapshot
    told: frozenset[int]

    @property
    def size(self) -> int:
        return self.snapshot.contents.nbytes


@dataclass(slots=True)
class History:
    """What is kept of a machine's past. `note` is called whenever the machine is between two slices."""

    debugger: Debugger
    points: list[Point] = field(default_factory=list)
    interval: int = INTERVAL

    @property
    def possible(self) -> bool:
        """Whether there is a way back: not where the host's files are written to."""
        return all(device.writes is not Writes.KEPT for device in self.debugger.machine.layout.devices)

    def note(self) -> None:
        """Take a snapshot if it is time."""
        machine = self.debugger.machine
        due = self.points[-1].progress + self.interval if self.points else 0
        if self.debugger.paused or machine.instructions < due or not self.possible:
            return
        self.points.append(Point(machine.instructions, take(machine), frozenset(self.debugger.told)))
        while len(self.points) > 2 and sum(point.size for point in self.points) > _ROOM:
            self.interval *= 2
            del self.points[1::2]

    # --- where we are ---

    def moment(self, core: int) -> Moment:
        """Return the moment that a core stands at."""
        debugger = self.debugger
        return Moment(debugger.progress, core, debugger.registers(core).rip, debugger.progress_of(core))

    def _go_back(self, progress: int) -> None:
        """Restore the last snapshot from before then, and run up to there."""
        point = next(point for point in reversed(self.points) if point.progress <= progress)
        restore(self.debugger.machine, point.snapshot)
        self.debugger.told = set(point.told)
        self.debugger.look_again()
        self.debugger.free()
        if self.debugger.progress < progress:
            with self.debugger.without_stops():
                self.debugger.stop_before(progress)
                self.debugger.again()

    def _beginnings(self, now: int) -> list[int]:
        """Return where to begin a search, later ones first; the last is as far as we can go back."""
        distances = (_NEAR * _FARTHER**number for number in range(16))
        first = self.points[0].progress
        return [now - distance for distance in distances if now - distance > first] + [first]

    # --- back ---

    def step(self, core: int) -> Stop:
        """Go back to before a core's last instruction, or to as far as we can."""
        now = self.moment(core)
        with self.debugger.unseen(), self.debugger.without_stops():
            for begin in self._beginnings(now.progress):
                self._go_back(begin)
                if steps := self._steps(core, now):
                    self._go_back(begin)
                    self._repeat(core, steps - 1)
                    return Stop(Why.STEPPED, core)
            return self._first(core)

    def _steps(self, core: int, now: Moment) -> int:
        """Step a core up to now, and count the places where it has stood; return the last's before this.

        The first is where it stands already. 0 if it has done nothing since then.
        """
        here, place, last, ties = self.moment(core), 0, 0, 0
        while here != now and here.progress <= now.progress and ties < _TIES:
            place += 1
            if (here.own, here.rip) != (now.own, now.rip):
                last = place
            self.debugger.step(core)
            self.debugger.stop_before(now.progress + 1)
            if self.debugger.again().why is not Why.STEPPED:
                break
            here = self.moment(core)
            ties += here.progress == now.progress
        return last

    def _repeat(self, core: int, steps: int) -> None:
        for _ in range(steps):
            self.debugger.step(core)
            self.debugger.again()

    def go_on(self, core: int) -> Stop:
        """Go back to the last stop of those asked for that was before now, or as far as we can."""
        now = self.moment(core)
        with self.debugger.unseen():
            for begin in self._beginnings(now.progress):
                self._go_back(begin)
                if hits := self._hits(now):
                    self._go_back(begin)
                    for _ in range(hits):
                        self.debugger.free()
                        stop = self.debugger.again()
                    return stop
            return self._first(core)

    def _hits(self, now: Moment) -> int:
        """Run up to now; return how often the machine stops on the way."""
        hits = 0
        while True:
            self.debugger.free()
            self.debugger.stop_before(now.progress)
            stop = self.debugger.again()
            hit = stop.why in _HITS and self.moment(stop.core) != now
            if not hit or self.debugger.progress >= now.progress:
                return hits
            hits += 1

    # --- who was it ---

    def writer(self, core: int, physical: int, size: int) -> Stop:
        """Go back to the instruction, of whichever core, that wrote to physical memory last."""
        with self.debugger.without_stops():
            self.debugger.set_watch(EVERYBODY, Watch(physical, size, WRITES | PHYSICAL))
            stop = self.go_on(core)
        return stop if stop.why is Why.BEGIN or stop.device >= 0 else self.step(stop.core)

    def sender(self, core: int, vector: int, later: int = 0) -> Stop:
        """Go back to the instruction that has sent a core an interrupt, `later` ones apart."""
        now = self.moment(core)
        with self.debugger.unseen(), self.debugger.without_stops():
            for begin in self._beginnings(now.progress):
                sends = sorted(send for sender in self._senders() for send in self._sends(begin, sender, now))
                sends = [send for send in sends if (send.target, send.vector) == (core, vector)]
                if len(sends) > later:
                    return self._go_to(begin, sends[-1 - later])
            return self._first(core)

    def _senders(self) -> range:
        return range(len(self.debugger.machine.layout.apic_ids))

    def _sends(self, begin: int, sender: int, now: Moment) -> Iterator[Send]:
        """Run from a beginning up to now, and yield the messages of one core."""
        self._go_back(begin)
        for number in count(1):
            self.debugger.step_to_send(sender)
            self.debugger.stop_before(now.progress)
            if self.debugger.again().why is not Why.STEPPED:
                return
            sent = self.debugger.sent
            yield Send(self.debugger.progress, sender, number, sent.target, sent.arrives_as)

    def _go_to(self, begin: int, send: Send) -> Stop:
        self._go_back(begin)
        for _ in range(send.number):
            self.debugger.step_to_send(send.sender)
            self.debugger.again()
        return self.step(send.sender)

    def _first(self, core: int) -> Stop:
        self._go_back(self.points[0].progress)
        return Stop(Why.BEGIN, core)
