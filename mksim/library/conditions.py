"""What a run can run to. A condition is anything that takes the machine and tells whether it holds."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mksim.machine.kernel import State

if TYPE_CHECKING:
    from mksim.library.machine import Machine

Condition = Callable[["Machine"], bool]


class Seen(NamedTuple):
    """A text that a console has shown: whose, what matched, and when its last byte was written."""

    kernel: str
    match: re.Match[str]
    end: int
    """How many bytes the console had up to there."""
    nanoseconds: int


def _text(data: bytes | bytearray) -> str:
    """Return text that can be turned back into the very bytes."""
    return data.decode(errors="surrogateescape")


class Said:
    """True once the console of a kernel, or of any, shows a text. `seen` tells which."""

    def __init__(
        self, pattern: str, kernel: str | None = None, since: Mapping[str, int] | None = None
    ) -> None:
        self._pattern = re.compile(pattern, re.MULTILINE)
        self._kernel, self._since = kernel, since or {}
        self._known: dict[str, int] = {}
        self.seen: Seen | None = None

    def __call__(self, machine: "Machine") -> bool:
        names = list(machine.transcript.consoles) if self._kernel is None else [self._kernel]
        return any(self._search(machine, name) for name in names)

    def _search(self, machine: "Machine", name: str) -> bool:
        console = machine.transcript.consoles[name]
        if self._known.get(name) == len(console.data):
            return False
        self._known[name] = len(console.data)
        start = len(_text(console.data[: self._since.get(name, 0)]))
        match = self._pattern.search(_text(console.data), start)
        if match is not None:
            end = len(match.string[: match.end()].encode(errors="surrogateescape"))
            when = console.times[end - 1] if end else 0
            self.seen = Seen(name, match, end, machine.layout.nanoseconds(when))
        return match is not None


def said(pattern: str, kernel: str | None = None) -> Said:
    """Return a condition: the console of a kernel, or of any, shows a text that matches."""
    return Said(pattern, kernel)


def ended(kernel: str) -> Condition:
    """Return a condition: a kernel has come to an end, or sleeps for ever."""

    def holds(machine: "Machine") -> bool:
        return machine.life(kernel).state in (State.ENDED, State.HALTED)

    return holds


def violated(number: int = 1) -> Condition:
    """Return a condition: there were so many violations."""
    return lambda machine: machine.ledger.violations >= number
