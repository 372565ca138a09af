"""Where a conversation stands: at which core of which machine; and what the words in it stand for."""

from collections.abc import Iterator

from mksim.debug import showing
from mksim.debug.control import Debugger
from mksim.debug.history import History
from mksim.debug.inferiors import Inferiors
from mksim.debug.monitor import Monitor
from mksim.debug.places import Places
from mksim.machine.machine import Machine


class Unclear(ValueError):  # noqa: N818 - it is what somebody said
    """What a command cannot make sense of."""


class Stand:
    """One machine that stands still, and the core that is looked at."""

    def __init__(self, debugger: Debugger) -> None:
        self.debugger = debugger
        self.inferiors = Inferiors(debugger.machine)
        self.monitor = Monitor(debugger, self.inferiors)
        self.places = Places(debugger.machine)
        self.core = debugger.core
        self.before: dict[int, showing.Values] = {}
        """Registers of the cores as they were at the last stop."""
        self._history = History(debugger)
        self._history.note()

    @property
    def machine(self) -> Machine:
        return self.debugger.machine

    @property
    def cores(self) -> range:
        return range(len(self.machine.layout.apic_ids))

    @property
    def kernel(self) -> int:
        """Whose core it is, as `Debugger` counts kernels."""
        return self.inferiors.kernel(self.core)

    def runs(self, core: int) -> int:
        """Return whose code a core runs: none of a kernel's while it is in the firmware."""
        return int(self.machine.board.cores[core]["owner"])

    @property
    def rip(self) -> int:
        return self.debugger.registers(self.core).rip

    @property
    def noting(self) -> History:
        """What is kept of the past, where something can be kept."""
        return self._history

    @property
    def history(self) -> History:
        """The way back."""
        if not self._history.points:
            raise Unclear("there is no way back: a disk keeps what is written to it")
        return self._history

    def name_of(self, kernel: int) -> str:
        """Return a kernel's name; the last number is of cores that no kernel has."""
        lives = self.machine.lives
        return lives[kernel].kernel.name if kernel < len(lives) else "nobody"

    def kernel_named(self, name: str) -> int:
        """Return the number of a kernel."""
        names = [life.kernel.name for life in self.machine.lives]
        if name not in names:
            raise Unclear(f"no kernel {name}: there are {', '.join(names)}")
        return names.index(name)

    def core_named(self, text: str) -> int:
        """Return the number of a core."""
        core = int(text, 0)
        if core not in self.cores:
            raise Unclear(f"no core {core}: there are 0 to {self.cores[-1]}")
        return core

    def about(self, core: int) -> str:
        """Say whose core it is, and when."""
        when = self.machine.layout.nanoseconds(self.debugger.time_of(core))
        return f"{self.name_of(self.inferiors.kernel(core))} core {core}, {when:,} ns"

    def where(self, core: int) -> Iterator[str]:
        """Yield the source line, the symbol and the instruction that a core stands at."""
        kernel, rip = self.runs(core), self.debugger.registers(core).rip
        yield from showing.source_lines(self.places.source(kernel, rip))
        _, _, named = self.places.named(kernel, rip).partition(" ")
        yield named or "no symbol is known here"
        code = showing.code_lines(self.debugger, self.places, core, rip, 1)
        yield from (line for line in code if not line.endswith(":"))

    # --- words ---

    def _term(self, text: str, kernel: int) -> int:
        if text.startswith("$"):
            value = showing.registers(self.debugger, self.core).get(text[1:])
            if value is None:
                raise Unclear(f"no register {text[1:]}")
            return value
        if text[:1].isdigit():
            return int(text, 0)
        found = self.places.find(kernel, text)
        if not found:
            raise Unclear(f"no symbol {text} in {self.name_of(kernel)}")
        return found[0]

    def address(self, text: str, kernel: int | None = None) -> int:
        """Return what a number, a register, a symbol, a line, or one of them with an offset stands for."""
        kernel = self.kernel if kernel is None else kernel
        for sign in "+-":
            first, found, second = text.rpartition(sign)
            if found and first and second[:1].isdigit():
                offset = int(second, 0)
                return (self._term(first, kernel) + (offset if sign == "+" else -offset)) & (1 << 64) - 1
        return self._term(text, kernel)

    def addresses(self, text: str) -> tuple[int, tuple[int, ...]]:
        """Return the kernel of `KERNEL:ADDRESS`, the one at hand without, and where its code for that is."""
        name, found, what = text.partition(":")
        named = found and name in [life.kernel.name for life in self.machine.lives]
        kernel, what = (self.kernel_named(name), what) if named else (self.kernel, text)
        return kernel, tuple(self.places.find(kernel, what)) or (self.address(what, kernel),)
