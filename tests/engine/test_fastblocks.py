"""Blocks that count by themselves count the same: whatever is rewritten, and when, it is the same run."""

from pathlib import Path

import pytest

from mksim.machine import machine as machines
from mksim.machine.machine import Machine, Outcome
from mksim.machine.reading import read_layout

KERNELS = Path(__file__).parents[2] / "kernels"


def run(scenario: str) -> tuple[Machine, str]:
    machine = Machine(read_layout(KERNELS / scenario / "config.toml"))
    assert machine.run() is Outcome.ENDED
    return machine, machine.digest()


@pytest.mark.parametrize("scenario", ["pingpong", "urpc", "smp", "panic", "rogue"])
def test_rewriting_changes_nothing(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "QUICKEN", 1 << 60)
    plain, digest = run(scenario)
    assert not any(engine.fast_blocks.rewritten for engine in plain.engines)
    for turn in (5, 16):
        monkeypatch.setattr(machines, "QUICKEN", 1)
        monkeypatch.setattr(machines, "TURN", turn)
        fast, same = run(scenario)
        assert any(engine.fast_blocks.rewritten for engine in fast.engines)
        assert same == digest
