"""The machine: built from a layout, run until something ends, and looked at in between.

    machine = Machine(read_layout(path))
    outcome = machine.run()
    print(machine.lives[0].exit_code, machine.ledger.violations)

The run loop proper is native (engine/schedule.py). Here is what it comes back for: a kernel's end, a core's
hand-over from the firmware, a restart that is due, and an instruction that must be stepped over.
"""

import hashlib
from collections.abc import Callable
from enum import Enum

import numpy as np

from mksim.boot.partition import partition_table
from mksim.clock.time import NEVER
from mksim.engine import panel, records, schedule
from mksim.engine.reset import after_reset
from mksim.engine.screen import AT_REST
from mksim.errors import EngineError, MksimBug
from mksim.fabric.ledger import Ledger
from mksim.fabric.ownership import FIRMWARE, NOBODY
from mksim.machine.build import build_board, build_engines, read_rom
from mksim.machine.chips import inherit, reset_chips, write_tables
from mksim.machine.config import Ending, Kernel, Layout, TripleFault
from mksim.machine.kernel import ENDINGS, Event, Life, State
from mksim.machine.step import step_over
from mksim.spec import memmap
from mksim.spec.vga import CELLS

TURN, TURN_INSTRUCTIONS = 32768, 16_000_000
"""Slices or instructions between two looks at the host: some tens of milliseconds."""


STRANGE = (
    "this build of Unicorn translates code in a way that mksim does not know: "
    "it needs the unicorn==2.1.4 wheel for Linux x86-64"
)


class Outcome(Enum):
    """Why a run came back."""

    ENDED = "every kernel ended or sleeps for ever"
    LIMIT = "the limit of time or instructions was reached"
    INTERRUPTED = "stopped from outside"
    PAUSED = "stopped by the debugger"


class Machine:
    """A machine of the given layout, powered on, its kernels' images in memory; nothing has run yet.

    Raises FileError where the ROM is missing, EngineError where Unicorn is another build.
    """

    def __init__(self, layout: Layout, *, seed: int | None = None) -> None:
        self.layout = layout
        self.seed = layout.seed if seed is None else seed
        self.rom = read_rom()
        self.board = build_board(layout, self.seed)
        self.engines = build_engines(self.board, layout, self.rom)
        self._reset_state = after_reset(self.engines[0].pristine())
        for core in range(len(layout.apic_ids)):
            self.board.reset_state(core, self._reset_state)
        self.lives = [Life(kernel) for kernel in layout.kernels]
        self.consoles: list[Callable[[np.ndarray], None]] = []
        """Called with CONSOLE_BYTE records, in order, whenever some have been written."""
        self.screens: list[Callable[[bool], None]] = []
        """Called when the text screen has changed; with True when it has come to rest."""
        self.tracers: list[Callable[[np.ndarray], None]] = []
        """Called with EVENT records (engine/tracing.py), in order, whenever some have been written."""
        self._due: list[tuple[int, int]] = []
        """When which kernel starts again; its number inverted: when its heirs get what was its own."""
        self._stop = False
        self._power_on()

    @property
    def ledger(self) -> Ledger:
        """Every crossing so far."""
        return self.board.ledger

    @property
    def now(self) -> int:
        """The furthest that any core has come, in cycles."""
        return int(self.board.cores["time"].max())

    @property
    def nanoseconds(self) -> int:
        """`now` as virtual time."""
        return self.layout.nanoseconds(self.now)

    @property
    def instructions(self) -> int:
        """Instructions retired by all cores."""
        return int(self.board.machine["instructions"][0])

    @property
    def screen(self) -> np.ndarray:
        """The cells that the text screen shows, attributes above characters, if it is somebody's."""
        cells = self.board.memory[memmap.SCREEN :][: memmap.SCREEN_SIZE].view(np.uint16)
        return np.roll(cells, -panel.first_cell(self.board.address))[:CELLS]

    def run(self, *, until: int = NEVER, instructions: int = NEVER, turns: int = -1) -> Outcome | None:
        """Run to an end, a time (cycles) or a count of instructions; None after `turns` looks at the host."""
        while turns != 0 and not self._stop:
            turns -= 1
            if (outcome := self._turn(until, instructions)) is not None:
                return outcome
        stopped, self._stop = self._stop, False
        self.board.stop[0] = 0
        return Outcome.INTERRUPTED if stopped else None

    def stop(self) -> None:
        """Have `run` come back after the slice at hand; safe from a signal handler or another thread."""
        self._stop = True
        self.board.stop[0] = 1

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called and no run has come back for it yet."""
        return self._stop

    def digest(self) -> str:
        """Return 64 hex digits over all events, the ledger, all cores and all memory."""
        for number in range(len(self.engines)):
            panel.unload(self.board.address, number)
        state = hashlib.blake2b(digest_size=32)
        state.update(self.board.machine["events"].tobytes() + self.ledger.digest())
        for name in ("state", "time", "instructions"):
            state.update(np.ascontiguousarray(self.board.cores[name]).tobytes())
        for name in ("regs", "eip", "cr", "cs_selector", "efer"):
            state.update(np.ascontiguousarray(self.board.cores["env"][name]).tobytes())
        self._digest_memory(state)
        if self.board.test_memory.any():
            state.update(self.board.test_memory.tobytes())
        return state.hexdigest()

    def _digest_memory(self, state: "hashlib.blake2b") -> None:
        pages = self.board.memory.reshape(-1, memmap.PAGE)
        used = np.flatnonzero(pages.view(np.uint64).any(axis=1))
        state.update(used.tobytes())
        for start in range(0, len(used), 1024):
            state.update(pages[used[start : start + 1024]].tobytes())

    @property
    def _machine(self) -> np.void:
        return self.board.machine[0]

    def _power_on(self) -> None:
        table = np.frombuffer(partition_table(self.layout), np.uint8)
        self.board.memory[memmap.PARTITION_TABLE :][: len(table)] = table
        write_tables(self.board, self.layout)
        for life in self.lives:
            self._load(life.kernel)
            life.happen(Event.POWER_ON)

    def _load(self, kernel: Kernel) -> None:
        """Put a kernel's image and modules into its memory."""
        for segment in kernel.image.segments:
            place = self.board.memory[segment.span.base + kernel.load_offset :][: segment.span.size]
            place[: len(segment.data)] = np.frombuffer(segment.data, np.uint8)
            place[len(segment.data) :] = 0
        for module in kernel.modules:
            self.board.memory[module.span.base :][: len(module.data)] = np.frombuffer(module.data, np.uint8)

    def _turn(self, until: int, instructions: int) -> Outcome | None:
        """Run one turn of slices and do what it came back for."""
        restart = min(self._due, default=(NEVER, -1))
        budget = min(instructions, self.instructions + TURN_INSTRUCTIONS)
        why = schedule.run(self.board.address, TURN, min(until, restart[0]), budget)
        if self.board.engines["strange_blocks"].any():
            raise EngineError(STRANGE)
        self._drain()
        if why == schedule.REQUEST:
            self._request(int(self._machine["why"]), int(self._machine["stopped_core"]))
        elif why == schedule.PAUSED:
            return Outcome.PAUSED
        elif why == schedule.SCREEN:
            for look in self.screens:
                look(self._machine["why"] == AT_REST)
        elif why == schedule.FAULT:
            self._fault(int(self._machine["why"]), int(self._machine["stopped_core"]))
        elif why == schedule.LIMIT and self.instructions >= budget:
            return Outcome.LIMIT if budget == instructions else None
        elif why in (schedule.LIMIT, schedule.IDLE) and restart[0] <= until and restart[0] < NEVER:
            self._go_on(*restart)
        elif why == schedule.LIMIT:
            return Outcome.LIMIT
        elif why == schedule.IDLE:
            return self._sleep()
        return Outcome.ENDED if self._all_ended else None

    @property
    def _all_ended(self) -> bool:
        return not self._due and all(life.state is State.ENDED for life in self.lives)

    def _drain(self) -> None:
        count = int(self._machine["console_count"])
        if count:
            written = self.board.console[:count].copy()
            self._machine["console_count"] = 0
            for console in self.consoles:
                console(written)
        if self._machine["trace_count"]:
            self._show_events()

    def trace(self, tracer: Callable[[np.ndarray], None]) -> None:
        """Have a tracer called with what happens from now on. The run stays the same to the bit."""
        if not self.tracers:
            self.board.start_trace()
        self.tracers.append(tracer)

    @property
    def events_lost(self) -> int:
        """How many events came too fast for the tracers."""
        return int(self._machine["trace_lost"])

    def _show_events(self) -> None:
        events = self.board.trace[: self._machine["trace_count"]].copy()
        self._machine["trace_count"] = 0
        for tracer in self.tracers:
            tracer(events)

    def _sleep(self) -> Outcome:
        for life in self.lives:
            if life.state in (State.STARTING, State.RUNNING):
                life.happen(Event.SLEEP)
        return Outcome.ENDED

    def _request(self, request: int, core: int) -> None:
        home = int(self.board.cores[core]["home"])
        if request == records.HAND_OFF and home != NOBODY:
            self._hand_over(core, home)
            self.lives[home].happen(Event.HAND_OFF)
        elif request in (records.HAND_OFF, records.PARK):
            self._hand_over(core, home)
            panel.rest(self.board.address, core, records.STOPPED if home == NOBODY else records.WAIT_FOR_SIPI)
        else:
            self._end(home, core, ENDINGS[request])

    def _hand_over(self, core: int, home: int) -> None:
        """Move a core from the firmware's engine to its kernel's."""
        panel.unload(self.board.address, len(self.lives))
        record = self.board.cores[core]
        record["owner"] = home
        if home != NOBODY:
            record["engine"] = self.board.engine_of[core] = home
        panel.settle(self.board.address, core)

    def _end(self, home: int, core: int, ending: Ending) -> None:
        if home == NOBODY:  # a kernel that the machine trusts had started it
            self._stop_core(core)
            return
        when = int(self.board.cores[core]["time"])
        code = int(self.board.engines[home]["exit_code"]) if ending is Ending.EXIT else None
        life = self.lives[home]
        life.end(when, ending, code)
        self._stop_cores(life.kernel)
        if life.may_restart:
            self._due.append((when + life.kernel.restart_after, home))
        elif any(device.owner == life.kernel.name and device.heir for device in self.layout.devices):
            self._due.append((when + 2 * self.layout.latency, ~home))  # nobody has come further by then
        if ending is Ending.TRIPLE_FAULT and self.layout.on_triple_fault is TripleFault.MACHINE:
            self._bring_down(when, life)

    def _bring_down(self, when: int, cause: Life) -> None:
        """A board without guards: one kernel's triple fault resets the machine, and with it everybody."""
        for life in self.lives:
            if life.state in (State.STARTING, State.RUNNING):
                life.end(when, Ending.RESET, None)
                self._stop_cores(life.kernel)
                if cause.may_restart:
                    self._due.append((when + cause.kernel.restart_after, life.kernel.id))

    def _stop_cores(self, kernel: Kernel) -> None:
        for core in kernel.cores:
            self._stop_core(core)

    def _stop_core(self, core: int) -> None:
        panel.rest(self.board.address, core, records.STOPPED)

    def _go_on(self, when: int, home: int) -> None:
        """Do what comes after a kernel's end: it starts again, or others have what was its own."""
        self._due.remove((when, home))
        if home < 0:
            inherit(self.board, self.layout, self.lives[~home].kernel, when)
        else:
            self._restart(when, home)

    def _restart(self, when: int, home: int) -> None:
        """Start a kernel again on its cores, from its image, while the machine runs."""
        life = self.lives[home]
        life.restart()
        self.engines[home].flush()
        self._load(life.kernel)
        reset_chips(self.board, self.layout, life.kernel, when)
        for core in life.kernel.cores:
            self._reset_core(core, when, boot=core == life.kernel.boot_core)
        panel.start(self.board.address, life.kernel.boot_core, memmap.FIRMWARE_SIPI, when)

    def _reset_core(self, core: int, when: int, *, boot: bool) -> None:
        record = self.board.cores[core]
        self.board.reset_state(core, self._reset_state)
        record["state"], record["time"] = records.WAIT_FOR_SIPI, when
        for pending in ("nmi", "extint", "debug", "machine_check", "mcg_status"):
            record[pending] = 0
        record["line"] = -1
        panel.reset_apic(self.board.address, core)
        if boot:
            record["owner"] = FIRMWARE
            record["engine"] = self.board.engine_of[core] = len(self.lives)

    def _fault(self, error: int, core: int) -> None:
        """Unicorn could not go on: an instruction of a trusted kernel that must be stepped over."""
        number = int(self.board.cores[core]["engine"])
        if self.board.engines[number]["fault_kind"] < 0:
            rip = int(self.engines[number].env[0]["eip"]) & (1 << 64) - 1
            raise MksimBug(f"core {core} stopped at rip {rip:#x}: Unicorn error {error}")
        request = step_over(self.board, self.engines[number], core, error, self.rom)
        if request not in schedule.BENIGN:
            self._request(request, core)
