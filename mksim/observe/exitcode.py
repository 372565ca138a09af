"""The exit code of a kernel that runs alone: its own where it gave one, in the way of QEMU's isa-debug-exit.

All that it gives are odd, so whatever else can happen has an even one of its own.
"""

from mksim.machine.config import Ending
from mksim.machine.kernel import Life, State
from mksim.machine.machine import Outcome

ENDINGS = {
    Ending.POWER_OFF: 0,
    Ending.RESET: 6,
    Ending.TRIPLE_FAULT: 8,
    Ending.MACHINE_CHECK: 10,
    Ending.HALT: 12,
}
LIMIT = 4
INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended: 128 + SIGINT."""


def exit_code(life: Life, outcome: Outcome) -> int:
    """Return the code for how a kernel's run came out."""
    if life.state is State.ENDED and life.ending is Ending.EXIT:
        return ((life.exit_code or 0) << 1 | 1) & 0xFF
    if life.state is State.ENDED and life.ending is not None:
        return ENDINGS[life.ending]
    return {Outcome.LIMIT: LIMIT, Outcome.INTERRUPTED: INTERRUPTED}.get(outcome, ENDINGS[Ending.HALT])
