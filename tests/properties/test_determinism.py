"""Law: same config and seed, same run. Whoever looks on, however often, in whichever process: one digest."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.machine import machine as machines
from mksim.machine.machine import Machine, Outcome
from mksim.machine.reading import read_layout

KERNELS = Path(__file__).parents[2] / "kernels"


def digest(scenario: str, *, seed: int | None = None) -> str:
    machine = Machine(read_layout(KERNELS / scenario / "config.toml"), seed=seed)
    assert machine.run() is Outcome.ENDED
    return machine.digest()


@pytest.mark.parametrize("scenario", ["hello", "pingpong", "smp", "urpc", "ring", "rogue", "panic"])
def test_two_runs_are_one(scenario: str) -> None:
    assert digest(scenario) == digest(scenario)


@pytest.mark.parametrize("scenario", ["urpc", "ring"])
def test_another_seed_is_another_interleaving(scenario: str) -> None:
    assert len({digest(scenario, seed=seed) for seed in range(1, 6)}) == 5


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 200_000), max_size=5), st.integers(1, 64))
def test_a_run_in_pieces_is_one_run(stops: list[int], slices: int) -> None:
    machine = Machine(read_layout(KERNELS / "ring" / "config.toml"))
    seen: list[np.ndarray] = []
    machine.consoles.append(seen.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machines, "TURN", slices)
        outcome = machine.run(turns=3)
        for stop in stops:
            outcome = outcome or machine.run(instructions=machine.instructions + stop)
            outcome = None if outcome is Outcome.LIMIT else outcome
        assert outcome is Outcome.ENDED or machine.run() is Outcome.ENDED
    assert machine.digest() == digest("ring")


def test_stopping_at_a_time_moves_no_message() -> None:
    layout = read_layout(KERNELS / "pingpong" / "config.toml")
    whole = Machine(layout)
    assert whole.run() is Outcome.ENDED
    assert Machine(replace(layout, until=1)).run(until=1) is Outcome.LIMIT
    halves = Machine(layout)
    assert halves.run(until=400_000) is Outcome.LIMIT
    assert halves.run() is Outcome.ENDED
    assert [life.ends for life in halves.lives] == [life.ends for life in whole.lives]
    assert halves.ledger.granted == whole.ledger.granted


@pytest.mark.parametrize("looks", [["--quiet"], []])
def test_another_process_has_the_same_digest(looks: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    config = KERNELS / "urpc" / "config.toml"
    command = [sys.executable, "-m", "mksim", "boot", str(config), "--summary", str(out), *looks]
    subprocess.run(command, check=True, capture_output=True)
    assert json.loads(out.read_text())["digest"] == digest("urpc")
