"""Blocks that count by themselves count the same as those that call the hook."""

from pathlib import Path

import numpy as np
import pytest

from mksim.engine.translation import _COUNTS, _RCX, _RDI, _stub, constant
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


@pytest.mark.parametrize(
    ("code", "register", "size", "value"),
    [
        ("48b98877665544332211", _RCX, 10, 0x1122334455667788),
        ("b944332211", _RCX, 5, 0x11223344),
        ("bf44332211", _RDI, 5, 0x11223344),
        ("b944332211", _RDI, 0, 0),
        ("488bd9", _RCX, 0, 0),
    ],
)
def test_constants_are_found_however_they_are_loaded(code: str, register: int, size: int, value: int) -> None:
    block = np.frombuffer(bytes.fromhex(code).ljust(16, b"\0"), np.uint8)
    assert constant(block, 0, register) == (size, value)


@pytest.mark.parametrize(("code", "register"), [("488d0df0ffffff", _RCX), ("488d3df0ffffff", _RDI)])
def test_constants_near_the_code_are_relative_to_it(code: str, register: int) -> None:
    block = np.frombuffer(bytes.fromhex(code).ljust(16, b"\0"), np.uint8)
    assert constant(block, 0, register) == (7, block.ctypes.data + 7 - 16)
