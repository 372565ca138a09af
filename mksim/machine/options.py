"""What a run is asked for beyond its layout. None of it reaches a guest or changes what happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mksim.errors import ConfigError, Problem

if TYPE_CHECKING:  # for what does not run a machine, Numba takes too long
    from mksim.machine.machine import Machine, Outcome

Drive = Callable[["Machine", int, int, Callable[[], None]], "Outcome"]
"""Runs a machine, to a time and a count of instructions at the most, and calls back now and then."""

SHEET_FORMS = (".json", ".svg")
"""Endings of a scorecard's file."""
TRACE_FORMS = (".json", ".jsonl", ".pftrace")
"""Endings of a trace's file: for Perfetto and Chrome, JSON lines, and Perfetto's own."""
TRACE_KINDS = ("run", "interrupt", "message", "crossing")
"""What a trace can hold."""
TRACE_MOST = 1_000_000
"""Events in a trace, unless something else is asked for: about 100 MB."""


def find_writable(path: Path) -> None:
    """ConfigError, before anything runs, where a file cannot be written. It is there afterwards."""
    try:
        path.open("a").close()
    except OSError as error:
        raise ConfigError([Problem(str(path), "", str(error.strerror))]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class BootOptions:
    """How `mksim boot` runs a layout; seed, protection and a limit in virtual time are the layout's own."""

    instructions: int | None = None
    """Retired by all cores together at which the run ends at the latest."""
    consoles: Mapping[str, Path] = field(default_factory=dict)
    """By kernel name: where its console's bytes go, exactly as it wrote them, instead of standard output."""
    summary: Path | None = None
    """Where the summary goes, as JSON."""
    trace: Path | None = None
    """Where events go as they happen; its ending says in which form."""
    trace_only: frozenset[str] = frozenset(TRACE_KINDS)
    """Which kinds of them."""
    trace_most: int = TRACE_MOST
    """How many of them."""
    raw: bool = False
    """The first kernel's console is standard output, exactly as it wrote; all else goes to standard error."""
    quiet: bool = False
    """No status line and no summary on the terminal."""
    drive: Drive | None = None
    """Who runs the machine, if not the session by itself: a debugger."""
