"""One run as a user sees it: consoles on the terminal and in files, a status line, the summary at the end."""

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mksim.clock.time import NEVER
from mksim.errors import ConfigError, Problem
from mksim.machine.config import Layout
from mksim.machine.machine import Machine, Outcome
from mksim.machine.options import BootOptions
from mksim.nativecache import warmed
from mksim.observe import summary
from mksim.observe.console import Consoles, open_files
from mksim.observe.status import Status

TURNS = 1
"""Looks at the host between two updates of the status line."""


def run(layout: Layout, options: BootOptions) -> tuple[Machine, Outcome]:
    """Boot a machine, run it to its end or limit, and report; ConfigError where a file cannot be written."""
    with _files_named(options):
        files = open_files(options.consoles)
        if options.summary is not None:
            options.summary.open("a").close()  # better now than after an hour's run
    machine = Machine(layout)
    gc.freeze()
    gc.enable()
    status = Status(machine, sys.stderr, quiet=options.quiet)
    consoles = Consoles([kernel.name for kernel in layout.kernels], _printer(status), files)
    machine.consoles.append(consoles)
    with _interruptible(machine):
        outcome = _run(machine, status, options)
    warmed()
    status.clear()
    consoles.finish()
    _report(machine, outcome, options)
    return machine, outcome


def _run(machine: Machine, status: Status, options: BootOptions) -> Outcome:
    until = NEVER if machine.layout.until is None else machine.layout.until
    instructions = NEVER if options.instructions is None else options.instructions
    while (outcome := machine.run(until=until, instructions=instructions, turns=TURNS)) is None:
        status.update()
    return outcome


def _printer(status: Status) -> Callable[[str], None]:
    def show(line: str) -> None:
        status.clear()
        print(line, flush=True)

    return show


def _report(machine: Machine, outcome: Outcome, options: BootOptions) -> None:
    result = summary.summary(machine, outcome)
    if not options.quiet:
        print()
        for line in summary.lines(result):
            print(line)
    if options.summary is not None:
        with _files_named(options):
            summary.write(result, options.summary)


@contextmanager
def _files_named(options: BootOptions) -> Iterator[None]:
    """Turn a file that cannot be written into an error that names it."""
    try:
        yield
    except OSError as error:
        name = error.filename or options.summary  # a full disk is noticed when no name is at hand
        raise ConfigError([Problem(str(name), "", str(error.strerror))]) from error


@contextmanager
def _interruptible(machine: Machine) -> Iterator[None]:
    """Let Ctrl-C end the run after the slice at hand, with its summary; a second one ends at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        machine.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
