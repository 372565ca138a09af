"""Commands of the prompt that move the machine, forth and back, and those that say where it is to stop."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NamedTuple

from mksim.debug import showing
from mksim.debug.control import PHYSICAL, READS, WRITES, Stop, Watch, Why
from mksim.debug.stand import Stand, Unclear
from mksim.machine import units
from mksim.machine.machine import Machine, Outcome

_ACCESSES = {"read": READS, "write": WRITES, "access": READS | WRITES}


class Limits(NamedTuple):
    """How far the machine may run, in cycles and instructions."""

    until: int
    instructions: int


@dataclass(frozen=True, slots=True)
class Point:
    """A breakpoint or a watchpoint of one kernel, as it was asked for."""

    text: str
    kernel: int
    addresses: tuple[int, ...] = ()
    watch: Watch | None = None


class Going:
    """What moves one machine. Every command yields lines to print."""

    def __init__(self, stand: Stand, limits: Limits, update: Callable[[], None]) -> None:
        self._stand, self._limits, self._update = stand, limits, update
        self._debugger = stand.debugger
        self._points: dict[int, Point] = {}
        self._numbers = 0
        self.outcome = Outcome.INTERRUPTED
        """Of the run, if it ended here."""

    # --- forth ---

    def go_on(self, _arguments: list[str]) -> Iterable[str]:
        """Run to a stop."""
        self._debugger.free()
        return self._told(self._run())

    def step(self, arguments: list[str]) -> Iterable[str]:
        """Run single instructions."""
        stop = Stop(Why.STEPPED, self._stand.core)
        for _ in range(int(arguments[0], 0) if arguments else 1):
            self._debugger.step(self._stand.core)
            stop = self._run(stepping=True)
            if stop.why is not Why.STEPPED:
                break
        return self._told(stop)

    def until(self, arguments: list[str]) -> Iterable[str]:
        """Run on to a time. A limit of the run's own would cut a slice, and make another run of it."""
        limit, debugger = units.limit(arguments[0]), self._debugger
        time = None if limit.seconds is None else int(limit.seconds * self._stand.machine.layout.rate)
        stop = Stop(Why.GOAL, debugger.core)
        while stop.why is Why.GOAL:
            # no core comes further in n instructions of all than by n cycles, but for idle time
            left = time - debugger.now if time is not None else (limit.instructions or 0) - debugger.progress
            if left <= 0:
                break
            debugger.free()
            debugger.stop_before(debugger.progress + left)
            stop = self._run()
        return self._told(stop, "" if stop.why is not Why.GOAL else "as far as it was to run")

    def step_ipi(self, arguments: list[str]) -> Iterable[str]:
        """Run to the first instruction of the handler of this core's IPI."""
        self._stand.monitor.command("step-ipi", self._stand.core)
        return self.go_on(arguments)

    def _run(self, *, stepping: bool = False) -> Stop:
        """Run to a stop that is one for whoever waits."""
        monitor = self._stand.monitor
        self._stand.before = {core: showing.registers(self._debugger, core) for core in self._stand.cores}
        monitor.begin(stepping=stepping)
        with _interruptible(self._stand.machine):
            while True:
                stop = self._turn()
                if stop is not None and not monitor.goes_on(stop, stepping=stepping):
                    return stop

    def _turn(self) -> Stop | None:
        self._debugger.outcome = Outcome.PAUSED
        self._stand.noting.note()
        stop = self._debugger.run(until=self._limits.until, instructions=self._limits.instructions)
        self._update()
        interrupted = stop is None and self._debugger.outcome is Outcome.INTERRUPTED
        return Stop(Why.INTERRUPTED, self._debugger.core) if interrupted else stop

    def _told(self, stop: Stop, why: str = "") -> Iterator[str]:
        """Go to where the machine has stopped; yield why, whose, when and where that is."""
        stand = self._stand
        self._debugger.core = stand.core = stop.core
        if stop.why is Why.OVER:
            self.outcome = self._debugger.outcome
            yield f"the run is over: {self.outcome.value}"
            return
        if stop.why is Why.ENDED:
            life = stand.machine.lives[stop.kernel]
            yield f"{life.kernel.name} has ended: {life.reason}"
        else:
            yield f"{stand.about(stop.core)}: {why or self._why(stop)}"
        yield from stand.where(stop.core)

    def _why(self, stop: Stop) -> str:
        if stop.why is Why.CAUGHT:
            return self._stand.monitor.caught().rstrip()
        if stop.why is Why.CHANGED:
            return "; ".join(stop.changes)
        if stop.device >= 0:
            return self._stand.monitor.accessed(stop).rstrip()
        if stop.why is Why.WATCHPOINT:
            what = "written" if stop.flags & WRITES else "read"
            space = "physical " if stop.flags & PHYSICAL else ""
            return f"{space}{stop.address:#x} was {what}"
        return stop.why.value

    def detach(self, _arguments: list[str]) -> None:
        """Run to the end, or to the limit."""
        self._debugger.clear_all()
        self._debugger.free()
        with _interruptible(self._stand.machine):
            while (stop := self._turn()) is None or stop.why not in (Why.OVER, Why.INTERRUPTED):
                pass
        self.outcome = self._debugger.outcome

    # --- back ---

    def back(self, arguments: list[str]) -> Iterable[str]:
        """Go back single instructions."""
        stop = Stop(Why.STEPPED, self._stand.core)
        for _ in range(int(arguments[0], 0) if arguments else 1):
            stop = self._stand.history.step(self._stand.core)
        return self._gone_to(stop, "a step back")

    def back_on(self, _arguments: list[str]) -> Iterable[str]:
        """Go back to a stop."""
        return self._told(self._stand.history.go_on(self._stand.core))

    def who_wrote(self, arguments: list[str]) -> Iterable[str]:
        """Go back to who wrote to an address, through whichever mapping."""
        address, size = self._stand.address(arguments[0]), int(arguments[1], 0) if len(arguments) > 1 else 8
        physical = self._debugger.walk(self._stand.core, address).physical
        if physical is None:
            raise Unclear(f"{address:#x} is nowhere")
        stop = self._stand.history.writer(self._stand.core, physical, size)
        return self._gone_to(stop, "" if stop.device >= 0 else f"writes to physical {physical:#x} next")

    def who_sent(self, arguments: list[str]) -> Iterable[str]:
        """Go back to who sent an interrupt."""
        core, stand = self._stand.core, self._stand
        serving = int(stand.machine.board.cores[core]["lapic"]["isr_top"])
        vector = int(arguments[0], 0) if arguments else serving
        if vector < 0:
            raise Unclear("no interrupt is in service: name a vector")
        stop = stand.history.sender(core, vector, stand.monitor.later(core, vector))
        return self._gone_to(stop, f"sends {vector:#04x} to core {core} next")

    def _gone_to(self, stop: Stop, why: str) -> Iterable[str]:
        return self._told(stop, "" if stop.why is Why.BEGIN else why)

    # --- where to stop ---

    def break_at(self, arguments: list[str]) -> Iterator[str]:
        """Stop before an instruction."""
        what, *kernels = arguments
        for name in kernels:
            what = f"{self._stand.name_of(self._stand.kernel_named(name))}:{what}"
        kernel, addresses = self._stand.addresses(what)
        for address in addresses:
            if not self._debugger.set_break(kernel, address):
                raise Unclear("there are too many breakpoints")
        yield self._noted(Point(f"break {arguments[0]}", kernel, addresses))

    def watch(self, arguments: list[str]) -> Iterator[str]:
        """Stop behind an access."""
        words = [*arguments, *("", "8", "write")[len(arguments) :]]
        watch = Watch(self._stand.address(words[0]), int(words[1], 0), _ACCESSES[words[2]])
        if not self._debugger.set_watch(self._stand.kernel, watch):
            raise Unclear("there are too many watchpoints")
        yield self._noted(Point(f"watch {' '.join(arguments)}", self._stand.kernel, watch=watch))

    def _noted(self, point: Point) -> str:
        self._numbers += 1
        self._points[self._numbers] = point
        return self._line(self._numbers)

    def _line(self, number: int) -> str:
        point = self._points[number]
        where = [self._stand.places.named(point.kernel, address) for address in point.addresses[:1]]
        more = [f"and {len(point.addresses) - 1} more"] if len(point.addresses) > 1 else []
        return " ".join([f"{number}: {point.text}, of {self._stand.name_of(point.kernel)}", *where, *more])

    def points(self, _arguments: list[str]) -> Iterator[str]:
        """List breakpoints and watchpoints."""
        yield from map(self._line, self._points)

    def delete(self, arguments: list[str]) -> None:
        """Delete some of them, or all."""
        for number in [int(word) for word in arguments] or list(self._points):
            if number not in self._points:
                raise Unclear(f"no breakpoint {number}")
            point = self._points.pop(number)
            for address in point.addresses:
                self._debugger.clear_break(point.kernel, address)
            if point.watch is not None:
                self._debugger.clear_watch(point.kernel, point.watch)


@contextmanager
def _interruptible(machine: Machine) -> Iterator[None]:
    """Let Ctrl-C stop the machine, and no more than that."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        machine.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
