"""What traces that one looks at have in common: who runs, whose core is whose, how an event is taken."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from mksim.engine.records import RUNNING
from mksim.engine.tracing import CROSSED, INTERRUPTED, SENT, SLEPT, WOKE
from mksim.machine.machine import Machine
from mksim.observe.arrows import Arrows

FIRST_THREAD = 1000
"""Thread of core 0: no thread may have the number of a process, but that it is its main thread."""


class Tracks(ABC):
    """A process per kernel and a thread per core; a form says how to write each kind of event."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._homes = [int(home) for home in machine.board.cores["home"]]
        self._running: set[int] = set()
        self._arrows = Arrows()
        self._take = {
            WOKE: self._woke, SLEPT: self._slept, INTERRUPTED: self._interrupted,
            SENT: self._message, CROSSED: self._crossing,
        }  # fmt: skip

    def take(self, event: np.void) -> None:
        """Write an event."""
        self._take[int(event["kind"])](event)

    def _awake(self) -> list[int]:
        """Return the cores that run as the trace begins."""
        return [int(core) for core in np.flatnonzero(self._machine.board.cores["state"] == RUNNING)]

    def _pid(self, core: int) -> int:
        home = self._homes[core]
        return home + 1 if home >= 0 else len(self._machine.lives) + 1

    def _ends(self) -> Iterator[tuple[int, int, str]]:
        """Yield how kernels ended: the boot core, when, and the ending."""
        for life in self._machine.lives:
            for when, ending, code in life.ends:
                name = ending.value if code is None else f"{ending.value} {code}"
                yield life.kernel.boot_core, when, name

    @abstractmethod
    def _woke(self, event: np.void) -> None: ...

    def _slept(self, event: np.void) -> None:
        """Close what the core did."""
        core = int(event["core"])
        if core in self._running:
            self._running.remove(core)
            self._close(core, int(event["when"]))

    @abstractmethod
    def _close(self, core: int, when: int) -> None: ...

    @abstractmethod
    def _interrupted(self, event: np.void) -> None: ...

    @abstractmethod
    def _message(self, event: np.void) -> None: ...

    @abstractmethod
    def _crossing(self, event: np.void) -> None: ...
