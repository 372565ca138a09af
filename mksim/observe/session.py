"""One run as a user sees it: consoles on the terminal and in files, a status line, the summary at the end."""

import gc
import mmap
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

import numpy as np

from mksim.clock.time import NEVER
from mksim.errors import ConfigError, Problem
from mksim.machine.config import Layout
from mksim.machine.machine import Machine, Outcome
from mksim.machine.options import BootOptions, find_writable
from mksim.nativecache import warmed
from mksim.observe import summary
from mksim.observe.console import Consoles, Unbuffered, open_files
from mksim.observe.screen import Screen
from mksim.observe.status import Status
from mksim.observe.trace import Trace, tracing

TURNS = 1
"""Looks at the host between two updates of the status line."""


def run(layout: Layout, options: BootOptions) -> tuple[Machine, Outcome]:
    """Boot a machine, run it to its end or limit, and report; ConfigError where a file cannot be written."""
    with _files_named():
        files = open_files(options.consoles)
    for late in (options.summary, options.trace):
        if late is not None:
            find_writable(late)
    if gc.get_freeze_count() == 0:
        gc.freeze()  # before there is a first machine: what is frozen is never given back
    gc.enable()
    machine = Machine(layout)
    status = Status(machine, sys.stderr, quiet=options.quiet or (options.raw and _at_terminal()))
    if options.raw:
        files = {layout.kernels[0].name: _standard_output()} | files
    show = _printer(status, _paper(options))
    consoles = Consoles([kernel.name for kernel in layout.kernels], show, files)
    machine.consoles.append(consoles)
    screen = None if options.raw and options.quiet else _screen(machine, consoles, raw=options.raw)
    with _interruptible(machine), _traced(machine, options) as trace:
        outcome = _run(machine, status, options)
    warmed()
    status.clear()
    if screen is not None:
        screen.finish()
    consoles.finish()
    _report(machine, outcome, options)
    if trace is not None and not options.quiet:
        print(_trace_line(machine, trace, options), file=_paper(options))
    return machine, outcome


@contextmanager
def _traced(machine: Machine, options: BootOptions) -> Iterator[Trace | None]:
    """Trace the machine, if that is asked for."""
    if options.trace is None:
        yield None
        return
    with tracing(machine, options.trace, kinds=options.trace_only, most=options.trace_most) as trace:
        yield trace


def _trace_line(machine: Machine, trace: Trace, options: BootOptions) -> str:
    missing = trace.dropped + machine.events_lost
    more = f", {missing:,} more left out" if missing else ""
    return f"trace    {trace.written:,} events in {options.trace}{more}"


def _screen(machine: Machine, consoles: Consoles, *, raw: bool) -> Screen | None:
    """Let the text screen's rows go where its owner's console goes, unless that is for its bytes alone."""
    owner = machine.layout.screen_owner
    if owner is None:
        return None
    screen = Screen(lambda: machine.screen, lambda row: consoles.tell(owner.id, row, raw=raw))
    machine.screens.append(screen)
    return screen


def _run(machine: Machine, status: Status, options: BootOptions) -> Outcome:
    until = NEVER if machine.layout.until is None else machine.layout.until
    instructions = NEVER if options.instructions is None else options.instructions
    if options.drive is not None:
        return options.drive(machine, until, instructions, status.update)
    while (outcome := machine.run(until=until, instructions=instructions, turns=TURNS)) is None:
        status.update()
    return outcome


def _paper(options: BootOptions) -> TextIO:
    """Return where all goes that is for people to read."""
    return sys.stderr if options.raw else sys.stdout


def _at_terminal() -> bool:
    # It is None where the caller closed it.
    return sys.stdout is not None and sys.stdout.isatty()


def _standard_output() -> Unbuffered:
    # Where the caller closed it, what is written goes nowhere.
    stream = Path(os.devnull).open("wb") if sys.stdout is None else sys.stdout.buffer  # noqa: SIM115
    return Unbuffered(stream, "standard output")


def _printer(status: Status, paper: TextIO) -> Callable[[str], None]:
    def show(line: str) -> None:
        status.clear()
        print(line, file=paper, flush=True)

    return show


def _report(machine: Machine, outcome: Outcome, options: BootOptions) -> None:
    if options.quiet and options.summary is None:
        return  # the digest of much memory takes its time
    result = summary.summary(machine, outcome)
    if not options.quiet:
        print("", *summary.lines(result), sep="\n", file=_paper(options))
    if options.summary is not None:
        try:
            summary.write(result, options.summary)
        except OSError as error:  # a full disk is noticed when no name is at hand
            raise OSError(error.errno, error.strerror, str(options.summary)) from error


@contextmanager
def _files_named() -> Iterator[None]:
    """Turn a file that cannot be written into an error that names it."""
    try:
        yield
    except OSError as error:
        raise ConfigError([Problem(str(error.filename or "output"), "", str(error.strerror))]) from error


@contextmanager
def _interruptible(machine: Machine) -> Iterator[None]:
    """Let Ctrl-C end the run after the slice at hand, with its summary; a second one ends at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        machine.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        with _heard_in_native_code(machine):
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _heard_in_native_code(machine: Machine) -> Iterator[None]:
    """Have native code come back for a signal: Python cannot look before, and a slow guest keeps it for long.

    The host writes a signal's number to a descriptor, to wake who polls it: here to memory of the machine's.
    """
    file = os.memfd_create("signal")
    try:
        os.truncate(file, mmap.PAGESIZE)
        os.set_blocking(file, False)
        machine.board.stop_on(np.frombuffer(mmap.mmap(file, mmap.PAGESIZE), np.uint8))
        before = signal.set_wakeup_fd(file, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(file)
