"""Blocks that count by themselves count the same as those that call the hook."""

from pathlib import Path

import pytest

from mksim.engine.translation import _COUNTS, _stub
from mksim.machine.machine import Machine, Outcome
from mksim.machine.reading import read_layout

KERNELS = Path(__file__).parents[2] / "kernels"


def digest(scenario: str, *, counting: bool) -> str:
    machine = Machine(read_layout(KERNELS / scenario / "config.toml"))
    if not counting:
        machine.board.engines["stubs"] = 0
    assert machine.run() is Outcome.ENDED
    assert not machine.board.engines["strange_blocks"].any()
    return machine.digest()


@pytest.mark.parametrize("scenario", ["pingpong", "urpc", "smp", "panic", "rogue"])
def test_counting_in_place_changes_nothing(scenario: str) -> None:
    assert digest(scenario, counting=True) == digest(scenario, counting=False)


def test_every_stub_has_room() -> None:
    assert len({len(_stub(number)) for number in range(_COUNTS)}) == 1
