"""What gdb's `monitor` command can ask for: what this machine has and gdb has no words for."""

from collections.abc import Callable, Mapping

import numpy as np

from mksim.debug.changes import OWNERSHIP, STATE
from mksim.debug.control import EVERYBODY, PHYSICAL, READS, WRITES, Debugger, Stop, Watch, Why, interrupts_by
from mksim.debug.inferiors import Inferiors
from mksim.fabric.ledger import Act
from mksim.fabric.message import SERIAL
from mksim.machine.names import MODES, device_name, owner_name

_ACCESSES = {"read": READS, "write": WRITES, "access": READS | WRITES}
_CAUGHT = {
    "violation": set(Act),
    "crossing": set(Act),
    "ipi": {Act.IPI, Act.NMI, Act.INIT, Act.SIPI},
}
_ROW = "{:18} {:18} {:7} {:8} {:<11} {:<11}"


class Monitor:
    """The commands, and what they want of the next run."""

    def __init__(self, debugger: Debugger, inferiors: Inferiors) -> None:
        self._debugger = debugger
        self._inferiors = inferiors
        self._sender: int | None = None
        """The core whose next message is to be followed."""
        self._before = 0
        """How many it had sent when it was asked for."""
        self._aim: tuple[int, int] | None = None
        """The core that is to stop where an interrupt of this vector arrives."""

    def command(self, line: str, core: int) -> str:
        """Run one command for a core; return what to print."""
        name, *arguments = line.split() or ["help"]
        if name not in self._COMMANDS:
            return f"no command {name}; there are:\n{self._help(core, [])}"
        try:
            return self._COMMANDS[name](self, core, arguments)
        except (ValueError, IndexError, KeyError):
            return f"{name}: {(self._COMMANDS[name].__doc__ or '').strip()}\n"

    def _help(self, _core: int, _arguments: list[str]) -> str:
        """List the commands."""
        rows = ((name, (command.__doc__ or "").strip()) for name, command in self._COMMANDS.items())
        return "".join(f"{name:14} {text}\n" for name, text in rows)

    def _kernels(self, _core: int, _arguments: list[str]) -> str:
        """Tell what each kernel and core is doing, and when."""
        machine = self._debugger.machine
        lines = [f"{life.kernel.name}: {life.state.value} {life.reason}".rstrip() for life in machine.lives]
        for core, record in enumerate(machine.board.cores):
            lines.append(f"{self._inferiors.about(core)}, at cycle {int(record['time'])}")
        return "\n".join([*lines, ""])

    def _ipi(self, _core: int, _arguments: list[str]) -> str:
        """List the interrupt messages in flight between kernels."""
        rows = [self._row(message) for message in self._in_flight()]
        if not rows:
            return "nothing is in flight\n"
        return "\n".join([_ROW.format("from", "to", "vector", "mode", "sent", "due").rstrip(), *rows, ""])

    def _row(self, message: np.void) -> str:
        latency = int(self._debugger.machine.board.machine["latency"][0])
        when, mode = int(message["when"]), int(message["mode"])
        ends = [self._end(int(message[end])) for end in ("sender", "target")]
        name, vector = MODES[mode], f"{int(message['vector']):#04x}"
        return _ROW.format(*ends, vector, name, when - latency, when).rstrip()

    def _end(self, core: int) -> str:
        home = int(self._debugger.machine.board.cores[core]["home"])
        return f"{self._name(home)} core {core}"

    def _in_flight(self) -> list[np.void]:
        board = self._debugger.machine.board
        waiting = board.message_heap[: int(board.messages["count"][0])]
        interrupts = [message for message in waiting if int(message["mode"]) < SERIAL]
        return sorted(interrupts, key=lambda message: (int(message["when"]), int(message["serial"])))

    def later(self, core: int, vector: int) -> int:
        """Return how many interrupts of a vector are in flight to a core, sent after its last one."""
        coming = [message for message in self._in_flight() if int(message["target"]) == core]
        return sum(interrupts_by(int(row["mode"]), int(row["vector"])) == vector for row in coming)

    def _step_ipi(self, core: int, _arguments: list[str]) -> str:
        """Let `continue` run from this core's IPI, the next if none is in flight, to its handler's start."""
        self._sender, self._aim, self._before = core, None, self._debugger.sent.number
        for message in self._in_flight():
            if self._sender is not None and int(message["sender"]) == core:
                self._take_aim(*(int(message[name]) for name in ("target", "mode", "vector")))
        return "continue now: to the first instruction of the handler\n"

    def _catch(self, _core: int, arguments: list[str]) -> str:
        """Stop at violation | ipi | crossing | acts as in the summary, dma | state | ownership; nothing."""
        kinds = {word for word in arguments if word in (STATE, OWNERSHIP)}
        others = [word for word in arguments if word not in (*kinds, "dma")]
        told = self._catch_crossings(others or ["nothing"])
        self._debugger.catch_dma(READS | WRITES if "dma" in arguments else 0)
        self._debugger.catch_changes(kinds)
        words = [word for word in arguments if word not in others]
        return f"stops behind: {', '.join(words + told)}\n" if words + told else "stops behind: nothing\n"

    def _catch_crossings(self, arguments: list[str]) -> list[str]:
        name = arguments[0]
        acts = _CAUGHT.get(name) or {Act[argument.upper()] for argument in arguments if name != "nothing"}
        self._debugger.catch(() if name == "violation" else acts, granted=True)
        self._debugger.catch(acts, granted=False)
        if name in ("violation", "crossing"):
            return ["crossings without a grant" if name == "violation" else "crossings"]
        return [act.name.lower() for act in sorted(acts)]

    def _watch_physical(self, _core: int, arguments: list[str]) -> str:
        """Stop at accesses by anybody: watch-physical ADDRESS [SIZE [read | write | access]], or nothing."""
        self._debugger.clear_all(EVERYBODY)
        if arguments == ["nothing"]:
            return "watches nothing\n"
        words = [*arguments, *("", "8", "write")[len(arguments) :]]
        address, size, flags = int(words[0], 0), int(words[1], 0), _ACCESSES[words[2]]
        self._debugger.set_watch(EVERYBODY, Watch(address, size, flags | PHYSICAL))
        return f"stops behind: {words[2]} of {address:#x}, {size} bytes, {self._owner(address)}\n"

    def accessed(self, stop: Stop) -> str:
        """Tell of the access to physical memory that the machine has stopped at."""
        what = "write" if stop.flags & WRITES else "read"
        if stop.device >= 0:
            rest = f"{stop.address:#x}, {stop.size} bytes, {self._owner(stop.address)}"
            return f"device {device_name(stop.device)}: DMA {what} of physical {rest}\n"
        return f"{self._end(stop.core)}: {what} of physical {stop.address:#x}, {self._owner(stop.address)}\n"

    def caught(self) -> str:
        """Tell of the crossing that the machine has stopped at."""
        ledger = self._debugger.machine.ledger
        row = ledger.ring[(ledger.total - 1) % len(ledger.ring)]
        who, whose = (self._name(int(row[name])) for name in ("kernel", "target"))
        granted = "granted" if row["granted"] else "a violation"
        act, where, rip = Act(row["act"]).name.lower(), int(row["where"]), int(row["rip"])
        by, at = (f"core {int(row['core'])}", "rip") if row["core"] >= 0 else ("a device", "at")
        return f"{who}, {by}: {act} {where:#x} of {whose}, {granted}, {at} {rip:#x}\n"

    def _name(self, owner: int) -> str:
        return owner_name(self._debugger.machine, owner)

    def _walk(self, core: int, arguments: list[str]) -> str:
        """Translate an address, RIP without one: each table entry on the way, and whose page that is in."""
        rip = self._debugger.registers(core).rip
        address = (int(arguments[0], 0) if arguments else rip) & (1 << 64) - 1
        found = self._debugger.walk(core, address)
        lines = [
            f"level {step.level}: {step.entry:#018x} at {step.where:#x}, {self._owner(step.where)}"
            for step in found.steps
        ]
        end = "nowhere" if found.physical is None else f"{found.physical:#x}, {self._owner(found.physical)}"
        return "\n".join([*lines, f"{address:#x} is {end}", ""])

    def _owner(self, physical: int) -> str:
        machine = self._debugger.machine
        if physical >= len(machine.board.memory):
            return "not memory"
        return f"of {self._name(int(machine.board.deeds.pages[physical >> 12]))}"

    _COMMANDS: Mapping[str, Callable[["Monitor", int, list[str]], str]] = {
        "help": _help,
        "catch": _catch,
        "ipi": _ipi,
        "kernels": _kernels,
        "step-ipi": _step_ipi,
        "walk": _walk,
        "watch-physical": _watch_physical,
    }

    # --- following an IPI: it stays the aim until it has arrived, whatever gdb stops at on the way ---

    def begin(self, *, stepping: bool) -> None:
        """The machine is about to go on, `stepping` if gdb wants no more than a step: see to the aim."""
        if self._sender is not None and self._debugger.sent.number != self._before:
            sent = self._debugger.sent
            self._take_aim(sent.target, sent.mode, sent.vector)
            self._before = sent.number
        if self._aim is not None:
            self._debugger.arrive(*self._aim)
        elif self._sender is not None and not stepping:
            self._debugger.step_to_send(self._sender)

    def goes_on(self, stop: Stop, *, stepping: bool) -> bool:
        """Tell whether the machine is to go on towards the aim, rather than to report this stop."""
        if stop.why is Why.ARRIVED:
            self._aim = None
        if self._sender is None or stepping or stop.why is not Why.STEPPED:
            return False
        self._debugger.free()
        self.begin(stepping=False)
        return True

    def _take_aim(self, target: int, mode: int, vector: int) -> None:
        """Follow a message to its handler, if it is for one."""
        if (arrives := interrupts_by(mode, vector)) >= 0:
            self._aim = target, arrives
            self._sender = None
