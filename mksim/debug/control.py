"""A machine under a debugger: stop anywhere, look, step, go on; the course of the machine stays what it was.

All stops are for the whole machine, and are found natively: see `engine.probe`. A step is one instruction of
one core, or the interrupt that comes instead; other cores run meanwhile as their turns come.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np

from mksim.clock.time import NEVER
from mksim.debug.changes import differences, standing
from mksim.debug.looking import Looking
from mksim.engine import probe
from mksim.fabric.ledger import Act
from mksim.machine.kernel import State
from mksim.machine.machine import Machine, Outcome
from mksim.spec import apic

READS, WRITES, PHYSICAL = 1, 2, probe.BY_PHYSICAL
EVERYBODY = -1
"""Whose watchpoints are heeded whoever it is: those of physical addresses."""
_NMI_VECTOR = 2
_CATCHES = ["granted", "violations", "dma"]
"""What catchpoints are in a debugger's record."""


class Why(Enum):
    """Why the machine stands still."""

    STEPPED = "stepped"
    BREAKPOINT = "breakpoint"
    WATCHPOINT = "watchpoint"
    GOAL = "went back"
    BEGIN = "as far back as possible"
    ARRIVED = "an interrupt has arrived"
    CAUGHT = "a crossing was caught"
    DMA = "a device's DMA was caught"
    CHANGED = "a change was caught"
    INTERRUPTED = "interrupted"
    ENDED = "a kernel has ended"
    OVER = "the run is over"


_WHY = {
    probe.STEPPED: Why.STEPPED,
    probe.BREAKPOINT: Why.BREAKPOINT,
    probe.WATCHPOINT: Why.WATCHPOINT,
    probe.GOAL: Why.GOAL,
    probe.ARRIVED: Why.ARRIVED,
    probe.CAUGHT: Why.CAUGHT,
    probe.DMA: Why.DMA,
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Why, at which core; the address that was accessed, or the kernel that has ended."""

    why: Why
    core: int
    address: int = 0
    flags: int = 0
    kernel: int = -1
    device: int = -1
    """Place of the device that has accessed; -1: a core has."""
    size: int = 0
    """Bytes of its access."""
    changes: tuple[str, ...] = ()


def interrupts_by(mode: int, vector: int) -> int:
    """Return the vector of the handler that a message leads to; -1 if to none."""
    if mode == apic.NMI:
        return _NMI_VECTOR
    return vector if mode in (apic.FIXED, apic.LOWEST_PRIORITY) else -1


class Sent(NamedTuple):
    """How many interrupt messages there were, and the last of them."""

    number: int
    target: int
    mode: int
    vector: int

    @property
    def arrives_as(self) -> int:
        """The vector of the handler that it leads to; -1 if to none."""
        return interrupts_by(self.mode, self.vector)


@dataclass(frozen=True, slots=True, order=True)
class Watch:
    """A watchpoint: addresses, linear or PHYSICAL, and which accesses."""

    address: int
    size: int
    flags: int


class Debugger(Looking):
    """Control over one machine. Nothing of it is in the machine's digest or snapshots."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._record = np.zeros(1, probe.DEBUGGER)
        self._marks = np.zeros(len(machine.engines), probe.MARKS)
        self._breaks: dict[int, set[int]] = {}
        self._watches: dict[int, set[Watch]] = {}
        self._changed = False
        """Whether they are others than native code knows."""
        self.told: set[int] = set()
        """Kernels whose end was told."""
        self.core = 0
        """The core that the last stop was at."""
        self.outcome = Outcome.PAUSED
        """Of the machine's last run, if it had one."""
        self._kinds: frozenset[str] = frozenset()
        """Which changes to stop at."""
        self._standing = standing(machine, self._kinds)
        self._disarm()
        machine.board.machine["debugger"] = self._record.ctypes.data
        for number in range(len(machine.engines)):
            machine.board.engines[number]["marks"] = self._marks[number : number + 1].ctypes.data

    # --- where to stop ---

    def set_break(self, kernel: int, address: int) -> bool:
        """Stop before a kernel's cores run the instruction at a linear address; False if there is no room."""
        addresses = self._breaks.setdefault(kernel, set())
        if sum(map(len, self._breaks.values())) >= probe.MARKS_MAX:
            return False
        addresses.add(address)
        self._changed = True
        return True

    def clear_break(self, kernel: int, address: int) -> None:
        """Do so no longer."""
        self._breaks.get(kernel, set()).discard(address)
        self._changed = True

    def set_watch(self, kernel: int, watch: Watch) -> bool:
        """Stop after a kernel's cores have accessed linear addresses; False if there is no room."""
        watches = self._watches.setdefault(kernel, set())
        if sum(map(len, self._watches.values())) >= probe.WATCHES_MAX:
            return False
        watches.add(watch)
        self._changed = True
        return True

    def clear_watch(self, kernel: int, watch: Watch) -> None:
        """Do so no longer."""
        self._watches.get(kernel, set()).discard(watch)
        self._changed = True

    def watch_at(self, kernel: int, address: int) -> Watch | None:
        """Return a kernel's watchpoint that an access at an address may have hit."""
        near = (watch for watch in self._watches.get(kernel, ()) if -8 < address - watch.address < watch.size)
        return next(near, None)

    def clear_all(self, kernel: int | None = None) -> None:
        """Drop one kernel's breakpoints and watchpoints, or everybody's and all catchpoints."""
        self._changed = True
        for stops in (self._breaks, self._watches):
            for one in list(stops) if kernel is None else [kernel]:
                stops.pop(one, None)
        if kernel is None:
            self._record["granted"] = self._record["violations"] = self._record["dma"] = 0
            self.catch_changes(())

    def _apply(self) -> None:
        """Tell native code; drop translations where a breakpoint is new, as they do not call the hook."""
        self._changed, firmware = False, len(self.machine.lives)
        for number in range(firmware + 1):
            mine = range(firmware + 1) if number == firmware else (number,)
            addresses = sorted({address for one in mine for address in self._breaks.get(one, ())})
            watches = sorted({watch for one in (*mine, EVERYBODY) for watch in self._watches.get(one, ())})
            if self._apply_breaks(number, addresses):
                self.machine.engines[number].drop_code()
            if self._apply_watches(number, watches):
                self.machine.engines[number].flush()

    def _apply_breaks(self, number: int, addresses: list[int]) -> bool:
        marks = self._marks[number]
        marks["n_breaks"] = len(addresses)
        marks["breaks"][: len(addresses)] = np.array(addresses, np.uint64).view(np.int64)
        known = marks["marked"][: marks["n_marked"]].tolist()
        new = [address for address in marks["breaks"][: len(addresses)].tolist() if address not in known]
        if len(known) + len(new) > probe.MARKS_MAX:
            known, new = [], marks["breaks"][: len(addresses)].tolist()
        marks["marked"][: len(known) + len(new)] = known + new
        marks["n_marked"] = len(known) + len(new)
        return bool(new)

    def _apply_watches(self, number: int, watches: list[Watch]) -> bool:
        marks = self._marks[number]
        rows = [(_signed(watch.address), watch.size, watch.flags) for watch in watches]
        before = marks["watches"][: marks["n_watches"]].tolist()
        marks["n_watches"] = len(rows)
        marks["watches"][: len(rows)] = rows
        return before != rows

    # --- running ---

    def run(self, *, turns: int = 1, until: int = NEVER, instructions: int = NEVER) -> Stop | None:
        """Run on towards what was asked for by `step`, `arrive` or else; None if that takes more turns."""
        board = self.machine.board
        if self._changed:
            self._apply()
        self._record["why"] = probe.NOT_STOPPED
        outcome = self.machine.run(turns=turns, until=until, instructions=instructions)
        self.outcome = outcome or self.outcome
        self.core = int(board.machine["stopped_core"][0])
        changes = self._changes()
        if (ended := self._newly_ended()) is not None:
            return Stop(Why.ENDED, self.core, kernel=ended)
        if changes:
            core = changes[0][0] if changes[0][0] >= 0 else self.core
            return Stop(Why.CHANGED, core, changes=tuple(text for _, text in changes))
        if outcome is Outcome.PAUSED:
            return self._stop()
        if outcome in (Outcome.ENDED, Outcome.LIMIT):
            return Stop(Why.OVER, self.core)
        return None

    def _stop(self) -> Stop:
        record = self._record[0]
        why = _WHY[int(record["why"])]
        if why not in (Why.WATCHPOINT, Why.DMA):
            return Stop(why, self.core)
        address, device, size = (int(record[name]) for name in ("hit", "device", "hit_size"))
        return Stop(
            why, self.core, address & (1 << 64) - 1, int(record["hit_flags"]), device=device, size=size
        )

    def _changes(self) -> list[tuple[int, str]]:
        """Return what has changed of what is to be caught."""
        if not self._kinds:
            return []
        before, self._standing = self._standing, standing(self.machine, self._kinds)
        return list(differences(self.machine, before, self._standing))

    def _newly_ended(self) -> int | None:
        """Return a kernel that has come to its last end and was not told of."""
        for number, life in enumerate(self.machine.lives):
            if life.state is State.ENDED and number not in self.told and not life.may_restart:
                self.told.add(number)
                return number
        return None

    def _disarm(self) -> None:
        record = self._record
        record["core"], record["taker"], record["vector"] = probe.NOBODY_STEPS, -1, -1
        record["goal"], record["unsent"] = NEVER, -1
        record["ran"] = record["low"] = record["high"] = record["near"] = 0

    def free(self) -> None:
        """Run on to a breakpoint, or for ever."""
        self._disarm()

    def step(self, core: int, span: tuple[int, int] = (0, 0)) -> None:
        """Run on until a core has run one instruction, or has left a range of addresses."""
        self._disarm()
        record = self._record
        record["core"], record["low"], record["high"] = core, _signed(span[0]), _signed(span[1])

    def step_to_send(self, core: int) -> None:
        """Run on until an instruction of a core has sent an interrupt message."""
        self.step(core)
        self._record["unsent"] = self._record["sent"]

    def arrive(self, core: int, vector: int) -> None:
        """Stop at the first instruction of a core's handler of an interrupt, besides."""
        self._record["taker"], self._record["vector"] = core, vector

    @property
    def sent(self) -> Sent:
        """The last message that a core has sent while it was the one that steps."""
        record = self._record[0]
        names = ("sent", "sent_to", "sent_mode", "sent_vector")
        return Sent(*(int(record[name]) for name in names))

    def catch(self, acts: Iterable[Act], *, granted: bool) -> None:
        """Stop behind blocks of code in which a crossing by one of these acts was granted, or was not."""
        self._record["granted" if granted else "violations"] = sum(1 << act for act in set(acts))

    def catch_dma(self, flags: int) -> None:
        """Stop behind devices' DMA: READS, WRITES or both, to whomever; 0 for none."""
        self._record["dma"] = flags

    def catch_changes(self, kinds: Iterable[str]) -> None:
        """Stop behind changes of these kinds, between two slices."""
        self._kinds = frozenset(kinds)
        self.look_again()

    def look_again(self) -> None:
        """Take things as they stand now, however they came so: the machine was put elsewhere."""
        self._standing = standing(self.machine, self._kinds)

    def stop_before(self, progress: int) -> None:
        """Stop as soon as the machine has run so many instructions, besides."""
        self._record["goal"], self._record["near"] = progress, 1

    def again(self) -> Stop:
        """Run on to a stop; ends of kernels are none."""
        while (stop := self.run()) is None or stop.why is Why.ENDED:
            pass
        return stop

    @contextmanager
    def without_stops(self) -> Iterator[None]:
        """Heed no breakpoints, watchpoints and catchpoints meanwhile."""
        kept = self._breaks, self._watches
        caught, kinds = self._record[_CATCHES].copy(), self._kinds
        self._breaks, self._watches, self._changed = {}, {}, True
        for name in _CATCHES:
            self._record[name] = 0
        self.catch_changes(())
        try:
            yield
        finally:
            self._breaks, self._watches = kept
            self._changed = True
            self._record[_CATCHES] = caught
            self.catch_changes(kinds)

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Let nobody see what the machine writes meanwhile: it has written that before."""
        machine = self.machine
        kept = machine.consoles, machine.screens, machine.tracers
        machine.consoles, machine.screens, machine.tracers = [], [], []
        try:
            yield
        finally:
            machine.consoles, machine.screens, machine.tracers = kept

    # --- when ---

    def time_of(self, core: int) -> int:
        """Return how far a core has come, in cycles."""
        board = self.machine.board
        if int(board.machine["paused"][0]) != core:
            return int(board.cores[core]["time"])
        engine = board.engines[board.cores[core]["engine"]]
        return int(engine["time"] - engine["left"])

    @property
    def now(self) -> int:
        """The furthest that any core has come, in cycles."""
        return max(map(self.time_of, range(len(self.machine.layout.apic_ids))))

    @property
    def paused(self) -> bool:
        """Whether the machine stands in the midst of a slice."""
        return int(self.machine.board.machine["paused"][0]) >= 0

    @property
    def progress(self) -> int:
        """Instructions that the whole machine has run."""
        return self.machine.instructions + self._in_slice(int(self.machine.board.machine["paused"][0]))

    def progress_of(self, core: int) -> int:
        """Instructions that a core has run."""
        mine = int(self.machine.board.machine["paused"][0]) == core
        return int(self.machine.board.cores[core]["instructions"]) + (self._in_slice(core) if mine else 0)

    def _in_slice(self, core: int) -> int:
        if core < 0:
            return 0
        engine = self.machine.board.engines[self.machine.board.cores[core]["engine"]]
        return int(engine["time"] - engine["start"] - engine["skipped"] - engine["left"])

    def moved(self, core: int) -> None:
        """Note that a core's registers were changed: what is left of its block is not what it will run."""
        board = self.machine.board
        if int(board.machine["paused"][0]) == core:
            engine = board.engines[board.cores[core]["engine"]]
            engine["left"] = engine["stage"] = 0


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 == 1 else value
