"""Traces: what happened, event by event, into a file while it happens.

Three forms: JSON lines, for grep and programs; Perfetto's own, for its UI and its SQL (observe/perfetto.py);
and the Trace Event Format, which the Perfetto UI and chrome://tracing open (observe/chrome.py).
"""

import json
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, TextIO

import numpy as np

from mksim.engine.tracing import CROSSED, INTERRUPTED, SENT, SLEPT, WOKE
from mksim.fabric.ledger import Act
from mksim.machine.machine import Machine
from mksim.machine.names import MODES, owner_name
from mksim.observe.chrome import Chrome
from mksim.observe.perfetto import Perfetto

KINDS = {
    "run": (WOKE, SLEPT),
    "interrupt": (INTERRUPTED,),
    "message": (SENT,),
    "crossing": (CROSSED,),
}
"""What a filter can name, and the events that each word means."""

class Form(Protocol):
    """A way to write a trace."""

    def take(self, event: np.void) -> None: ...
    def finish(self) -> None: ...


class Lines:
    """One JSON object per line and event, its time first."""

    def __init__(self, machine: Machine, stream: TextIO) -> None:
        self._machine, self._stream = machine, stream

    def take(self, event: np.void) -> None:
        """Write an event."""
        self._stream.write(json.dumps(fact(self._machine, event)) + "\n")

    def finish(self) -> None:
        """There is nothing to close."""


def fact(machine: Machine, event: np.void) -> dict[str, Any]:
    """Return an event in words; addresses and vectors in hex."""
    core, kind = int(event["core"]), int(event["kind"])
    when = machine.layout.nanoseconds(int(event["when"]))
    return {"when_ns": when, **_place(machine, core)} | _TOLD[kind](machine, event)


def _place(machine: Machine, core: int) -> dict[str, Any]:
    return {"kernel": owner_name(machine, int(machine.board.cores[core]["home"])), "core": core}


def _message(machine: Machine, event: np.void) -> dict[str, Any]:
    to = _place(machine, int(event["other"]))
    return {
        "event": "message",
        "mode": MODES[event["mode"]],
        "vector": f"{int(event['value']):#x}",
        "to_kernel": to["kernel"],
        "to_core": to["core"],
        "arrives_ns": machine.layout.nanoseconds(int(event["until"])),
        "sender": "core" if event["flag"] else "chip",
    }


def _crossing(machine: Machine, event: np.void) -> dict[str, Any]:
    return {
        "event": "crossing",
        "act": Act(event["mode"]).name.lower(),
        "where": f"{int(event['value']):#x}",
        "target": owner_name(machine, int(event["other"])),
        "granted": bool(event["flag"]),
        "rip": f"{int(event['until']) & (1 << 64) - 1:#x}",
    }


_TOLD: dict[int, Callable[[Machine, np.void], dict[str, Any]]] = {
    WOKE: lambda machine, event: {"event": "woke"},
    SLEPT: lambda machine, event: {"event": "slept"},
    INTERRUPTED: lambda machine, event: {"event": "interrupt", "vector": f"{int(event['value']):#x}"},
    SENT: _message,
    CROSSED: _crossing,
}

FORMS: dict[str, Callable[[Machine, Any], Form]] = {".json": Chrome, ".jsonl": Lines, ".pftrace": Perfetto}
"""By the ending of a file's name."""
_BYTES = (".pftrace",)


class Trace:
    """Writes the events of some kinds of a machine, up to a number of them."""

    def __init__(self, machine: Machine, form: Form, *, kinds: Set[str], most: int) -> None:
        self._form = form
        self._wanted = np.zeros(256, bool)
        for kind in kinds:
            self._wanted[list(KINDS[kind])] = True
        self._left = most
        self.written = self.dropped = 0
        machine.trace(self)

    def __call__(self, events: np.ndarray) -> None:
        """Take EVENT records."""
        events = events[self._wanted[events["kind"]]]
        self.dropped += max(0, len(events) - self._left)
        for event in events[: self._left]:
            self._form.take(event)
        self.written += min(len(events), self._left)
        self._left = max(0, self._left - len(events))


def _opened(path: Path) -> IO[Any]:
    return path.open("wb") if path.suffix in _BYTES else path.open("w", encoding="utf-8")


@contextmanager
def tracing(machine: Machine, path: Path, *, kinds: Set[str], most: int) -> Iterator[Trace]:
    """Trace a machine into a file, which is whole also where the run breaks off; OSError if it cannot be."""
    with _opened(path) as stream:
        form = FORMS[path.suffix](machine, stream)
        try:
            yield Trace(machine, form, kinds=kinds, most=most)
        finally:
            form.finish()
