"""A machine in a Python program's hands: `mksim.Machine`. docs/python.md shows what one does with it.

Looking changes nothing: who stops at a condition, looks and goes on has the run that nobody looked at. Only
limits of time cut slices of the schedule; what is run behind them is another interleaving, and the same one
every time.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from mksim.boot.partition import partition_table
from mksim.boot.symbols import EMPTY, Symbols
from mksim.clock.time import NEVER
from mksim.debug.looking import Looking
from mksim.debug.target import REGISTERS
from mksim.engine.compilation import compile_all, missing
from mksim.fabric.ledger import Ledger
from mksim.library import frames, inject
from mksim.library.conditions import Condition, Said, Seen
from mksim.machine import machine as board
from mksim.machine import snapshot, units
from mksim.machine.config import Layout, Protection
from mksim.machine.kernel import Life
from mksim.machine.options import TRACE_KINDS, TRACE_MOST
from mksim.machine.reading import make_layout, read_layout
from mksim.machine.symbols import symbols_of
from mksim.nativecache import cold, warmed
from mksim.observe.evidence import Evidence
from mksim.observe.recent import Recent
from mksim.observe.report import fragment, page
from mksim.observe.trace import Trace, tracing
from mksim.observe.transcript import Transcript
from mksim.usage import COMPILING

GRAIN = 16_384
"""Instructions between two looks at a condition."""


class Stop(Enum):
    """Why a run came back."""

    REACHED = "the condition holds"
    ENDED = "every kernel ended or sleeps for ever"
    LIMIT = "the limit of time or instructions was reached"
    INTERRUPTED = "stopped from outside"


class NotSeen(AssertionError):  # noqa: N818 - it says what happened, as the errors of tests do
    """What was expected of a console was not there in time."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A machine at one time, with what its consoles had shown and its events by then."""

    snapshot: snapshot.Snapshot
    shown: dict[str, int]
    expected: dict[str, int]
    waited: int
    events: tuple[np.ndarray, int] | None
    witnessed: int


def layout_of(config: str | Path | Mapping[str, Any] | Layout, folder: str | Path = ".") -> Layout:
    """Return the layout of a config: a file, or its tables; ConfigError with every problem it has."""
    if isinstance(config, Layout):
        return config
    if not isinstance(config, Mapping):
        return read_layout(Path(config))
    layout = make_layout(dict(config), Path(folder) / "config")
    partition_table(layout)
    return layout


def _compile() -> None:
    """Compile native code if that was not done, all at once."""
    if cold() and (names := missing()):
        print(COMPILING, file=sys.stderr, flush=True)
        compile_all(names, lambda _done, _of: None)


class Machine:
    """A machine, powered on, its kernels in memory; nothing has run yet.

    config      the path of a TOML file, or its tables; images are relative to the file, or to `folder`
    events      how many of the newest events to keep, for `events` and `messages`; 0 costs nothing
    evidence    whether to keep what `write_report` needs
    """

    def __init__(
        self,
        config: str | Path | Mapping[str, Any] | Layout,
        *,
        folder: str | Path = ".",
        seed: int | None = None,
        protection: str | None = None,
        events: int = 0,
        evidence: bool = False,
    ) -> None:
        layout = layout_of(config, folder)
        _compile()
        if protection is not None:
            layout = replace(layout, protection=Protection(protection))
        self.raw = board.Machine(layout, seed=seed)
        """The machine itself, with all its arrays."""
        warmed()
        self.transcript = Transcript(self.raw)
        self.recent = Recent(self.raw, events) if events else None
        self.evidence = Evidence(self.raw, self.transcript) if evidence else None
        self._look = Looking(self.raw)
        self._mishaps = inject.Mishaps(self.raw)
        self._symbols: dict[str, Symbols] = {}
        self._expected: dict[str, int] = {}
        """How many bytes of each console `expect` has gone past."""
        self._waited = 0
        """The time, in cycles, that it has been run to: all may sleep by then, and no core be there yet."""

    # --- what it is and where it stands ---

    @property
    def layout(self) -> Layout:
        return self.raw.layout

    @property
    def ledger(self) -> Ledger:
        """Every crossing so far."""
        return self.raw.ledger

    @property
    def nanoseconds(self) -> int:
        """Virtual time."""
        return self.layout.nanoseconds(self._now)

    @property
    def _now(self) -> int:
        return max(self.raw.now, self._waited)

    @property
    def instructions(self) -> int:
        """Instructions retired by all cores."""
        return self.raw.instructions

    @property
    def consoles(self) -> dict[str, str]:
        """What each kernel has written so far."""
        return {name: console.text for name, console in self.transcript.consoles.items()}

    def console(self, kernel: str) -> str:
        """Return what a kernel has written so far."""
        return self.transcript.consoles[kernel].text

    def life(self, kernel: str) -> Life:
        """Return a kernel's life: its state, how it ended, with which code; KeyError if there is none."""
        return self.raw.lives[self.layout.kernel(kernel).id]

    def digest(self) -> str:
        """Return 64 hex digits over all that has happened: equal digests, equal runs."""
        return self.raw.digest()

    # --- running ---

    def run(
        self, until: str | Condition | None = None, *, within: str | None = None, grain: int = GRAIN
    ) -> Stop:
        """Run to a time or count since power-on ("10ms", "5Minsn"), or to a condition; else to the end.

        `within` is a limit of virtual time from now. A condition is looked at every `grain` instructions, and
        not within a slice of the schedule: of several kernels that are awake, half a microsecond or so.
        """
        condition = until if callable(until) else None
        cycles, instructions = self._limits(until if isinstance(until, str) else None, within)
        while condition is None or not condition(self):
            goal = min(instructions, self.instructions + (1 if self._mishaps else grain))
            if condition is None and not self._mishaps:
                goal = instructions
            outcome = self.raw.run(until=cycles, instructions=goal, turns=1)
            if self._mishaps:
                self._mishaps.look()
            if outcome is None or (self._at(goal, outcome) and goal < instructions):
                continue
            if outcome is board.Outcome.LIMIT and not self._at(goal, outcome):
                self._waited = cycles
            reached = condition is not None and condition(self)
            return Stop.REACHED if reached else Stop[outcome.name]
        return Stop.REACHED

    def _at(self, goal: int, outcome: board.Outcome) -> bool:
        return outcome is board.Outcome.LIMIT and self.instructions >= goal

    def _limits(self, until: str | None, within: str | None) -> tuple[int, int]:
        """Return cycles and instructions at which a run ends at the latest."""
        limit = units.Limit() if until is None else units.limit(until)
        cycles = NEVER if self.layout.until is None else self.layout.until
        if limit.seconds is not None:
            cycles = int(limit.seconds * self.layout.rate)
        if within is not None:
            cycles = min(cycles, self._now + int(units.duration(within) * self.layout.rate))
        return cycles, NEVER if limit.instructions is None else limit.instructions

    def expect(self, pattern: str, *, kernel: str | None = None, within: str = "1s") -> Seen:
        """Run until the console of a kernel, or of any, shows a text behind the last one expected of it.

        NotSeen, which is an AssertionError, when all has ended before, or that much virtual time is over.
        """
        if kernel is not None:
            self.life(kernel)
        said = Said(pattern, kernel, self._expected)
        stop = self.run(said, within=within)
        if said.seen is None:
            raise NotSeen(self._unseen(pattern, kernel, within, stop))
        self._expected[said.seen.kernel] = said.seen.end
        return said.seen

    def _unseen(self, pattern: str, kernel: str | None, within: str, stop: Stop) -> str:
        whose = "no console shows" if kernel is None else f"the console of {kernel} does not show"
        lines = [f"{whose} {pattern!r} within {within}: {stop.value}, at {self.nanoseconds} ns"]
        for name, console in self.transcript.consoles.items():
            if kernel in (None, name):
                lines += [f"[{name}] {line.text}" for line in console.lines()[-10:]]
        return "\n".join(lines)

    # --- looking ---

    @property
    def memory(self) -> np.ndarray:
        """DRAM, as bytes by physical address, in place. Code that is changed here may run on as it was."""
        return self.raw.board.memory

    def registers(self, core: int) -> dict[str, int]:
        """Return a core's registers by gdb's names; rip is a linear address."""
        registers = self._look.registers(core)
        values = ((register.name, registers.read(register)) for register in REGISTERS)
        return {name: int.from_bytes(value, "little") for name, value in values if value is not None}

    def read(self, core: int, address: int, size: int) -> bytes:
        """Return memory at a linear address as a core sees it; fewer bytes where it ends."""
        return self._look.read(core, address, size)

    def write(self, core: int, address: int, data: bytes) -> None:
        """Change memory at a linear address; ValueError, and nothing done, where not all of it is there."""
        if not self._look.write(core, address, data):
            raise ValueError(f"core {core} has no memory for {len(data)} bytes at {address:#x}")

    def symbols(self, kernel: str) -> Symbols:
        """Return a kernel's symbols: of its image, or what a Linux, once unpacked, has in its memory."""
        if not len(self._symbols.get(kernel, EMPTY)):
            self._symbols[kernel] = symbols_of(self.raw, self.layout.kernel(kernel))
        return self._symbols[kernel]

    def symbol(self, kernel: str, name: str) -> int:
        """Return the address of a symbol of a kernel's; KeyError if it has none."""
        symbols = self.symbols(kernel)
        return int(symbols.addresses[symbols.indices[name]])

    def value(self, kernel: str, name: str, size: int | None = None) -> int:
        """Return a kernel's variable as an unsigned number of its size; KeyError if it has none."""
        symbols = self.symbols(kernel)
        index = symbols.indices[name]
        core = self.layout.kernel(kernel).boot_core
        size = int(symbols.sizes[index]) if size is None else size
        return int.from_bytes(self.read(core, int(symbols.addresses[index]), size), "little")

    # --- disturbing ---

    def interrupt(self, core: int, vector: int = 0, mode: str = "fixed") -> None:
        """Send an interrupt to a core, from nobody. `mode` is one of `fixed`, `NMI`, `INIT`, `SIPI` ..."""
        inject.interrupt(self.raw, core, vector, mode)

    def flip(self, address: int, bit: int) -> None:
        """Flip a bit of the byte of DRAM at a physical address."""
        inject.flip(self.raw, address, bit)

    def drop(self, sender: str, receiver: str, spared: int = 0) -> None:
        """Lose the next interrupt from one kernel to another, or the one after `spared` others."""
        self._mishap(inject.Fate.DROP, sender, receiver, spared)

    def double(self, sender: str, receiver: str, spared: int = 0) -> None:
        """Have it arrive twice, a latency apart."""
        self._mishap(inject.Fate.DOUBLE, sender, receiver, spared)

    def _mishap(self, fate: inject.Fate, sender: str, receiver: str, spared: int) -> None:
        ends = self.layout.kernel(sender).id, self.layout.kernel(receiver).id
        self._mishaps.add(inject.Mishap(fate, *ends, spared))

    def kill(self, core: int) -> None:
        """Stop a core for ever."""
        inject.kill(self.raw, core)

    # --- back in time ---

    def snapshot(self) -> Moment:
        """Return the machine as it is; it may run on."""
        shown = {name: len(console.data) for name, console in self.transcript.consoles.items()}
        events = None if self.recent is None else (self.recent.events(), self.recent.seen)
        witnessed = 0 if self.evidence is None else len(self.evidence.events())
        state = snapshot.take(self.raw)
        return Moment(state, shown, dict(self._expected), self._waited, events, witnessed)

    def restore(self, moment: Moment) -> None:
        """Put the machine back. Mishaps that are still to come stay so."""
        snapshot.restore(self.raw, moment.snapshot)
        for name, length in moment.shown.items():
            self.transcript.consoles[name].cut(length)
        self._expected, self._waited = dict(moment.expected), moment.waited
        if self.recent is not None and moment.events is not None:
            self.recent.put_back(*moment.events)
        if self.evidence is not None:
            self.evidence.put_back(moment.witnessed)

    # --- what came of it ---

    @contextmanager
    def tracing(self, path: str | Path, only: Iterable[str] = TRACE_KINDS) -> Iterator[Trace]:
        """Write what happens meanwhile to a file, .pftrace, .json or .jsonl, as `boot --trace` does."""
        with tracing(self.raw, Path(path), kinds=set(only), most=TRACE_MOST) as trace:
            yield trace

    def write_report(self, path: str | Path) -> None:
        """Write a page of the run so far; ValueError unless the machine was made to keep what it takes."""
        if self.evidence is None:
            raise ValueError("what a report takes is not kept: Machine(..., evidence=True) keeps it")
        Path(path).write_text(page(self.evidence, board.Outcome.INTERRUPTED), encoding="utf-8")

    def _repr_html_(self) -> str:
        """Return how it stands, for a notebook."""
        return fragment(self.raw, f"mksim-{id(self):x}-")

    def kernels(self) -> "frames.Frame":
        """Return a DataFrame of the kernels and how they fared."""
        return frames.kernels(self.raw)

    def crossings(self) -> "frames.Frame":
        """Return a DataFrame of the newest 65,536 crossings; `ledger` has exact counts of all."""
        return frames.crossings(self.raw, self.ledger.records())

    def violations(self) -> "frames.Frame":
        """Return a DataFrame of the violations, the first 1,024 and the newest."""
        return frames.crossings(self.raw, self.ledger.recorded_violations())

    def events(self) -> "frames.Frame":
        """Return a DataFrame of the newest events; ValueError unless the machine was made to keep them."""
        return frames.events(self.raw, self._kept())

    def messages(self) -> "frames.Frame":
        """Return a DataFrame of the interrupt messages among them."""
        return frames.messages(self.raw, self._kept())

    def _kept(self) -> np.ndarray:
        if self.recent is None:
            raise ValueError("events are not kept: Machine(..., events=100_000) keeps the newest of them")
        return self.recent.events()
