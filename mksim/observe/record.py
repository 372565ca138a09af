"""A run written down: what it was made of, and how it went; and the same run again, compared as it goes.

Nothing reaches a machine from outside but its files, its seed and its limits, so a record is short: the
command line, a hash of every file, and milestones. Milestones hold hashes over all that has happened; so the
first one that is another tells between which two instructions the runs part, and whose console or crossings
they part in.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mksim.errors import ConfigError, Problem
from mksim.machine.config import Layout
from mksim.machine.machine import Machine, Outcome

FORMAT = 1
INTERVAL = 1_000_000
"""Instructions between milestones; when there are too many, every other one goes, and this is doubled."""
MILESTONES = 512


def hash_of(data: Any) -> str:
    """Return a hash of bytes as 32 hex digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def files(layout: Layout, rom: Any) -> dict[str, str]:
    """Return a hash of all that a machine of this layout is made of, by what it is."""
    found = {"ROM": hash_of(rom)}
    if layout.path.suffix == ".toml":
        found[f"config {layout.path.name}"] = hash_of(layout.path.read_bytes())
    for kernel in layout.kernels:
        found[f"image of {kernel.name}, {kernel.path.name}"] = hash_of(kernel.image.raw)
        for number, module in enumerate(kernel.modules):
            found[f"module {number} of {kernel.name}, {module.path.name}"] = hash_of(module.data)
    for device in layout.devices:
        if device.file is not None:
            found[f"disk {device.name}, {device.file.name}"] = hash_of(device.file.read_bytes())
    return found


@dataclass(slots=True)
class Witness:
    """Sees all that a machine writes, and can say at any time how far it has come."""

    machine: Machine
    written: dict[str, int] = field(default_factory=dict)
    _hashes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for life in self.machine.lives:
            self.written[life.kernel.name] = 0
            self._hashes[life.kernel.name] = hashlib.blake2b(digest_size=8)
        self.machine.consoles.append(self._hear)

    def _hear(self, some: np.ndarray) -> None:
        for number, life in enumerate(self.machine.lives):
            mine = some[some["kernel"] == number]["byte"]
            self.written[life.kernel.name] += len(mine)
            self._hashes[life.kernel.name].update(mine.tobytes())

    def milestone(self) -> dict[str, Any]:
        """Return how far the machine has come, and hashes over how it came there."""
        machine = self.machine
        return {
            "instructions": machine.instructions,
            "cycle": machine.now,
            "events": int(machine.board.machine["events"][0]),
            "crossings": machine.ledger.granted + machine.ledger.violations,
            "consoles": {
                name: [count, self._hashes[name].hexdigest()] for name, count in self.written.items()
            },
        }


def run_to(
    machine: Machine, until: int, target: int, instructions: int, update: Callable[[], None]
) -> Outcome | None:
    """Run to `target` instructions: None there, else why the run ended before."""
    goal = min(target, instructions)
    while (outcome := machine.run(until=until, instructions=goal, turns=1)) is None:
        update()
    there = outcome is Outcome.LIMIT and machine.instructions >= goal and goal < instructions
    return None if there else outcome


@dataclass(slots=True)
class Recorder:
    """Runs a machine and writes down how it went; a `Drive`."""

    path: Path
    arguments: list[str]
    milestones: list[dict[str, Any]] = field(default_factory=list)
    interval: int = INTERVAL

    def __call__(
        self, machine: Machine, until: int, instructions: int, update: Callable[[], None]
    ) -> Outcome:
        witness, target = Witness(machine), self.interval
        made_of = files(machine.layout, machine.rom)  # now, as a disk may be written to
        while (outcome := run_to(machine, until, target, instructions, update)) is None:
            self.milestones.append(witness.milestone() | {"target": target})
            if len(self.milestones) > MILESTONES:
                del self.milestones[::2]
                self.interval *= 2
            target = self.milestones[-1]["target"] + self.interval
        self._write(machine, outcome, witness, made_of)
        return outcome

    def _write(
        self, machine: Machine, outcome: Outcome, witness: Witness, made_of: Mapping[str, str]
    ) -> None:
        record = {
            "mksim": FORMAT,
            "arguments": self.arguments,
            "folder": os.path.relpath(Path.cwd(), self.path.resolve().parent),
            "files": made_of,
            "seed": machine.seed,
            "milestones": self.milestones,
            "end": witness.milestone() | {"outcome": outcome.name, "digest": machine.digest()},
        }
        self.path.write_text(json.dumps(record, indent=1) + "\n")


def read(path: Path) -> dict[str, Any]:
    """Return a record; ConfigError if it is none."""
    try:
        record = json.loads(path.read_text())
    except OSError as error:
        raise ConfigError([Problem(str(path), "", error.strerror or str(error))]) from error
    except ValueError as error:
        raise ConfigError([Problem(str(path), "", f"is no record of a run: {error}")]) from error
    wanted = {"arguments": list, "folder": str, "files": dict, "milestones": list, "end": dict}
    sound = isinstance(record, dict) and record.get("mksim") == FORMAT
    if not sound or not all(isinstance(record.get(key), kind) for key, kind in wanted.items()):
        raise ConfigError([Problem(str(path), "", "is no record of a run")])
    return record


def options(
    path: Path, record: Mapping[str, Any], parse: Callable[[list[str]], argparse.Namespace]
) -> argparse.Namespace:
    """Return the options of a recorded run, its files as seen from here; ConfigError if they are none."""
    try:
        told = parse(record["arguments"])
        folder = path.parent / record["folder"]
        for name in ("config", "kernel"):
            if getattr(told, name) is not None:
                setattr(told, name, folder / getattr(told, name))
        told.initrd = None if told.initrd is None else str(folder / told.initrd)
        for name in ("module", "disk"):
            if getattr(told, name) is not None:
                setattr(told, name, [str(folder / file) for file in getattr(told, name)])
    except (SystemExit, AttributeError, TypeError) as error:
        raise ConfigError([Problem(str(path), "arguments", "are none that boot something")]) from error
    return told


def check_files(path: Path, record: Mapping[str, Any], layout: Layout, rom: Any) -> None:
    """Raise ConfigError, all at once, where a file is not what it was."""
    now = files(layout, rom)
    problems = [
        Problem(str(path), "files", f"{name} is another than the one that was run")
        for name, known in record["files"].items()
        if now.get(name) != known
    ]
    if problems:
        raise ConfigError(problems)


@dataclass(slots=True)
class Replayer:
    """Runs a machine as a record says, and compares; a `Drive`. It stops where the first thing differs."""

    record: Mapping[str, Any]
    difference: list[str] = field(default_factory=list)

    def __call__(
        self, machine: Machine, until: int, instructions: int, update: Callable[[], None]
    ) -> Outcome:
        witness, before = Witness(machine), 0
        for known in self.record["milestones"]:
            outcome = run_to(machine, until, known["target"], instructions, update)
            if self._differs(witness, known, before) or outcome is not None:
                return outcome or Outcome.INTERRUPTED
            before = known["instructions"]
        while (outcome := machine.run(until=until, instructions=instructions, turns=1)) is None:
            update()
        end = self.record["end"]
        if not self._differs(witness, end, before) and machine.digest() != end["digest"]:
            self.difference.append(f"the digest is {machine.digest()}, and was {end['digest']}")
        return outcome

    def _differs(self, witness: Witness, known: Mapping[str, Any], before: int) -> bool:
        """Compare with a milestone that was written down."""
        here = witness.milestone()
        told = list(differences(here, known))
        if told:
            self.difference.append(f"parts between instructions {before:,} and {known['instructions']:,}")
            self.difference += told
        return bool(told)


def differences(here: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what of a milestone is not as it was."""
    words = {
        "instructions": "instructions",
        "cycle": "the time",
        "events": "the events",
        "crossings": "crossings",
    }
    for key, word in words.items():
        if here[key] != known.get(key):
            yield f"{word}: {here[key]}, and was {known.get(key)}"
    for name, (count, told) in here["consoles"].items():
        was = known.get("consoles", {}).get(name, [0, ""])
        if [count, told] != was:
            yield f"console of {name}: {count} bytes, and was {was[0]}" + (
                ", others" if count == was[0] else ""
            )
