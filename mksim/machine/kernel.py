"""A kernel's life, as a table: which event leads from which state to which. An illegal one is our bug."""

from dataclasses import dataclass, field
from enum import Enum

from mksim.engine import records
from mksim.errors import MksimBug
from mksim.machine.config import Ending, Kernel


class State(Enum):
    """Where a kernel is in its life."""

    OFF = "off"
    STARTING = "starting"
    """Its boot core is in the firmware."""
    RUNNING = "running"
    HALTED = "halted"
    """All its cores sleep for ever: nothing is on its way that could wake one."""
    ENDED = "ended"


class Event(Enum):
    """What can happen to a kernel as a whole."""

    POWER_ON = "power on"
    HAND_OFF = "hand-off"
    SLEEP = "sleep"
    END = "end"
    RESTART = "restart"


TRANSITIONS = {
    (State.OFF, Event.POWER_ON): State.STARTING,
    (State.STARTING, Event.HAND_OFF): State.RUNNING,
    (State.STARTING, Event.END): State.ENDED,
    (State.STARTING, Event.SLEEP): State.HALTED,
    (State.RUNNING, Event.SLEEP): State.HALTED,
    (State.RUNNING, Event.END): State.ENDED,
    (State.HALTED, Event.HAND_OFF): State.RUNNING,  # a later run may bring what wakes it
    (State.HALTED, Event.END): State.ENDED,
    (State.ENDED, Event.RESTART): State.STARTING,
}

ENDINGS = {
    records.KERNEL_EXIT: Ending.EXIT,
    records.POWER_OFF: Ending.POWER_OFF,
    records.KERNEL_RESET: Ending.RESET,
    records.TRIPLE_FAULT: Ending.TRIPLE_FAULT,
    records.MACHINE_CHECK_STOP: Ending.MACHINE_CHECK,
    records.SAID: Ending.SAYS,
}
"""What a slice's request means for the kernel whose core made it."""


@dataclass(slots=True)
class Life:
    """One kernel's life so far. Times are in cycles."""

    kernel: Kernel
    state: State = State.OFF
    ending: Ending | None = None
    exit_code: int | None = None
    restarts: int = 0
    ends: list[tuple[int, Ending, int | None]] = field(default_factory=list)
    """Every end it has come to: when, how, and the exit code if it gave one."""

    def happen(self, event: Event) -> None:
        """Go on to the next state."""
        try:
            self.state = TRANSITIONS[self.state, event]
        except KeyError:
            what = f"kernel {self.kernel.name} cannot {event.value} while {self.state.value}"
            raise MksimBug(what) from None

    def end(self, when: int, ending: Ending, exit_code: int | None) -> None:
        """Come to an end."""
        self.happen(Event.END)
        self.ending, self.exit_code = ending, exit_code
        self.ends.append((when, ending, exit_code))

    def restart(self) -> None:
        """Begin again."""
        self.happen(Event.RESTART)
        self.ending = self.exit_code = None
        self.restarts += 1

    @property
    def may_restart(self) -> bool:
        """Whether the config lets it begin again after an end that it did not choose."""
        return self.restarts < self.kernel.restarts and self.ending not in (Ending.EXIT, Ending.SAYS)

    @property
    def reason(self) -> str:
        """Why it is no longer running, in words; empty while it is."""
        if self.state is State.HALTED:
            return Ending.HALT.value
        return "" if self.ending is None else self.ending.value

    @property
    def as_expected(self) -> bool:
        """Whether it ended as its config expects."""
        expect = self.kernel.expect
        if expect.ending is Ending.ANY:
            return True
        if self.state is State.HALTED:
            return expect.ending is Ending.HALT
        return self.ending is expect.ending and expect.code in (None, self.exit_code)
