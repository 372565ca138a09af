"""What a run came to: as a dictionary for JSON, and as lines for people and grep."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mksim.fabric.ledger import Act
from mksim.machine.config import Ending
from mksim.machine.kernel import Life
from mksim.machine.machine import Machine, Outcome
from mksim.machine.names import device_name, owner_name
from mksim.observe import faults, screen

SHOWN = 10
"""Violations shown on a terminal; the summary file holds all that the ledger kept."""


def summary(machine: Machine, outcome: Outcome) -> dict[str, Any]:
    """Return everything about a run that is worth keeping; equal for equal runs, on every host."""
    ledger = machine.ledger
    return {
        "config": machine.layout.path.name,
        "outcome": outcome.name.lower(),
        "protection": machine.layout.protection.value,
        "seed": machine.seed,
        "virtual_ns": machine.nanoseconds,
        "instructions": machine.instructions,
        "digest": machine.digest(),
        "kernels": {life.kernel.name: _kernel(machine, life) for life in machine.lives},
        "crossings": {
            "granted": ledger.granted,
            "violations": ledger.violations,
            "by": list(_counts(machine)),
        },
        "violations": [violation(machine, record) for record in ledger.recorded_violations()],
    } | faults.result(machine)


def _kernel(machine: Machine, life: Life) -> dict[str, Any]:
    cores = machine.board.cores[list(life.kernel.cores)]
    return {
        "state": life.state.value,
        "reason": life.reason,
        "exit": life.exit_code,
        "expected": str(life.kernel.expect),
        "as_expected": life.as_expected,
        "restarts": life.restarts,
        "ends": [_end(machine, *end) for end in life.ends],
        "cores": list(life.kernel.cores),
        "instructions": int(cores["instructions"].sum()),
    } | _screen(machine, life)


def _end(machine: Machine, when: int, ending: Ending, code: int | None) -> dict[str, Any]:
    return {"when_ns": machine.layout.nanoseconds(when), "reason": ending.value, "exit": code}


def _screen(machine: Machine, life: Life) -> dict[str, Any]:
    """Return what the text screen shows in the end, with its owner."""
    shown = screen.plain(machine.screen) if life.kernel.vga else [""]
    return {"screen": shown} if shown != [""] else {}


def _counts(machine: Machine) -> Iterator[dict[str, Any]]:
    """Yield the exact count of every kind of crossing that occurred."""
    for who, whose, act, granted in np.argwhere(machine.ledger.counts):
        yield {
            "kernel": owner_name(machine, int(who)),
            "target": owner_name(machine, int(whose)),
            "act": Act(act).name.lower(),
            "granted": bool(granted),
            "count": int(machine.ledger.counts[who, whose, act, granted]),
        }


def violation(machine: Machine, record: np.void) -> dict[str, Any]:
    """Return one record of the ledger in words and hex."""
    return {
        "when_ns": machine.layout.nanoseconds(int(record["when"])),
        "kernel": owner_name(machine, int(record["kernel"])),
        **_from(record),
        "act": Act(record["act"]).name.lower(),
        "where": f"{int(record['where']):#x}",
        "target": owner_name(machine, int(record["target"])),
        "happened": machine.layout.protection.value == "trust",
    }


def _from(record: np.void) -> dict[str, Any]:
    """Return where a crossing came from: an instruction of a core, or a device."""
    if record["core"] >= 0:
        return {"core": int(record["core"]), "rip": f"{int(record['rip']):#x}"}
    return {"device": device_name(int(record["rip"]))}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the summary as lines of a fixed shape, first word first."""
    yield (
        f"run      {result['outcome']} after {result['virtual_ns'] / 1e6:.3f} ms virtual time, "
        f"{result['instructions']:,} instructions, seed {result['seed']}"
    )
    for name, kernel in result["kernels"].items():
        yield f"kernel   {name}: {ending(kernel)}"
    crossings = result["crossings"]
    granted, violations = crossings["granted"], crossings["violations"]
    yield f"crossed  {granted:,} granted, {violations:,} violations ({result['protection']})"
    for entry in result["violations"][:SHOWN]:
        verb = "did" if entry["happened"] else "tried"
        yield (
            f"violation {entry['kernel']} {verb} {entry['act']} {entry['where']} of {entry['target']}, "
            f"{_source(entry)}, {entry['when_ns']} ns"
        )
    if (more := crossings["violations"] - SHOWN) > 0:
        yield f"violation ... and {more:,} more"
    yield from faults.lines(result.get("iommu", {}), SHOWN)
    yield f"digest   {result['digest']}"


def _source(entry: dict[str, Any]) -> str:
    return f"device {entry['device']}" if "device" in entry else f"rip {entry['rip']}, core {entry['core']}"


def ending(kernel: dict[str, Any]) -> str:
    """Return in words how a kernel of the summary ended."""
    how = kernel["reason"] or kernel["state"]
    code = "" if kernel["exit"] is None else f" {kernel['exit']}"
    again = f", started again {kernel['restarts']}x" if kernel["restarts"] else ""
    wanted = "" if kernel["as_expected"] else f" - expected {kernel['expected']}"
    return f"{how}{code}{again}{wanted}"


def as_expected(machine: Machine) -> bool:
    """Tell whether all kernels and the number of violations are what the config expects."""
    wanted = machine.layout.expected_violations
    return all(life.as_expected for life in machine.lives) and wanted in (None, machine.ledger.violations)


def write(result: dict[str, Any], path: Path) -> None:
    """Write the summary as JSON; OSError if that cannot be done."""
    path.write_text(json.dumps(result, indent=2) + "\n")
