"""The machine in gdb's words: a kernel is an inferior, a core is a thread of it. GDB manual, E.1 and 4.9.

Inferior n + 1 is kernel n of the config; cores that are no kernel's are in one more behind them. Thread n + 1
is core n. By gdb's rule 0 stands for any, and -1 for all.
"""

from typing import NamedTuple

from mksim.debug.fields import parse_hex
from mksim.engine import records
from mksim.fabric.ownership import FIRMWARE, NOBODY
from mksim.machine.machine import Machine

_ACTIVITIES = {
    records.RUNNING: "runs",
    records.HALTED: "sleeps in HLT",
    records.MWAITING: "sleeps in MWAIT",
    records.WAIT_FOR_SIPI: "waits for SIPI",
    records.STOPPED: "is off",
}


class ThreadId(NamedTuple):
    """`pPID.TID`; None where any will do, -1 for all."""

    pid: int | None
    tid: int | None


def parse_thread(text: bytes) -> ThreadId | None:
    """Read a thread-id; None if it is none."""
    try:
        if not text.startswith(b"p"):
            return ThreadId(None, _number(text))
        pid, _, tid = text[1:].partition(b".")
        return ThreadId(_number(pid), _number(tid) if tid else -1)
    except ValueError:
        return None


def _number(text: bytes) -> int | None:
    if text == b"-1":
        return -1
    return parse_hex(text) or None


class Inferiors:
    """Who is whose, of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._homes = [int(core["home"]) for core in machine.board.cores]

    def pids(self) -> list[int]:
        """Return all inferiors, in order."""
        return sorted({self.pid(core) for core in range(len(self._homes))})

    def pid(self, core: int) -> int:
        """Return the inferior that a core is in."""
        home = self._homes[core]
        return len(self._machine.lives) + 1 if home == NOBODY else home + 1

    def kernel(self, core: int) -> int:
        """Return whose breakpoints a core heeds, as `Debugger` counts kernels."""
        return self.pid(core) - 1

    def cores(self, pid: int) -> list[int]:
        """Return an inferior's cores."""
        return [core for core in range(len(self._homes)) if self.pid(core) == pid]

    def name(self, core: int) -> bytes:
        """Return a core as a thread-id."""
        return b"p%x.%x" % (self.pid(core), core + 1)

    def core(self, thread: ThreadId, likely: int) -> int | None:
        """Return a core that a thread-id means, the likely one where it may be; None if there is none."""
        if thread.tid not in (None, -1):
            core = int(thread.tid or 0) - 1
            known = 0 <= core < len(self._homes) and thread.pid in (None, -1, self.pid(core))
            return core if known else None
        if thread.pid in (None, -1, self.pid(likely)):
            return likely
        return next(iter(self.cores(int(thread.pid or 0))), None)

    def about(self, core: int) -> str:
        """Say what a core is doing, in a few words."""
        record = self._machine.board.cores[core]
        home = self._homes[core]
        name = "nobody" if home == NOBODY else self._machine.lives[home].kernel.name
        where = ", in the firmware" if int(record["owner"]) == FIRMWARE else ""
        return f"{name}: core {core} {_ACTIVITIES[int(record['state'])]}{where}"
