"""A guest under mksim, in this process: timed from when all its kernels are up to the end of the last."""

from dataclasses import replace
from pathlib import Path

from benchmarks.clocks import Took, now
from mksim.machine.config import Layout
from mksim.machine.machine import Machine, Outcome
from mksim.machine.reading import read_layout

CONFIGS = Path("kernels/bench")
STARTED = 200_000
"""Cycles after which every kernel is in its loop; what they did of it by then does not matter."""


def layout_of(name: str, **commands: str) -> Layout:
    """Return the layout of kernels/bench/NAME.toml with other command lines, by kernel."""
    layout = read_layout(CONFIGS / f"{name}.toml")
    kernels = [replace(k, cmdline=commands.get(k.name, k.cmdline)) for k in layout.kernels]
    return replace(layout, kernels=tuple(kernels))


def started(layout: Layout) -> Machine:
    """Return a machine whose kernels are up."""
    machine = Machine(layout)
    if machine.run(until=STARTED) is not Outcome.LIMIT:
        raise RuntimeError("the guest ended before its loop began")
    return machine


def finish(machine: Machine) -> Took:
    """Run a machine to its end."""
    start = now()
    outcome = machine.run()
    took = now() - start
    if outcome is not Outcome.ENDED or any(life.exit_code != 0 for life in machine.lives):
        raise RuntimeError(f"the guest failed: {outcome}, {[life.exit_code for life in machine.lives]}")
    return took
