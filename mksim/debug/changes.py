"""What a machine can change into between two slices: kernels' states, and who owns what. By comparison."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mksim.machine.machine import Machine
from mksim.machine.names import device_name, owner_name

STATE, OWNERSHIP = "state", "ownership"


class Standing(NamedTuple):
    """How things stand. What is not looked at is empty."""

    states: tuple[str, ...]
    cores: np.ndarray
    devices: np.ndarray
    pages: np.ndarray


_NOTHING = np.zeros(0, np.int16)


def standing(machine: Machine, kinds: frozenset[str]) -> Standing:
    """Return how things stand, as far as somebody wants to know."""
    lives, board = machine.lives if STATE in kinds else [], machine.board
    states = tuple(f"{life.state.value} {life.reason}".rstrip() for life in lives)
    if OWNERSHIP not in kinds:
        return Standing(states, _NOTHING, _NOTHING, _NOTHING)
    functions = board.functions["owner"]
    return Standing(states, board.cores["owner"].copy(), functions.copy(), board.deeds.pages.copy())


def differences(machine: Machine, before: Standing, now: Standing) -> Iterator[tuple[int, str]]:
    """Yield a core that is concerned, or -1, and what has changed."""
    for life, was, state in zip(machine.lives, before.states, now.states, strict=False):
        if was != state:
            yield life.kernel.boot_core, f"kernel {life.kernel.name}: {was}, now {state}"
    for core in _others(before.cores, now.cores):
        yield core, f"core {core}: {_from_to(machine, before.cores[core], now.cores[core])}"
    for index in _others(before.devices, now.devices):
        name = device_name(int(machine.board.functions[index]["place"]))
        yield -1, f"device {name}: {_from_to(machine, before.devices[index], now.devices[index])}"
    if pages := _others(before.pages, now.pages):
        change = _from_to(machine, before.pages[pages[0]], now.pages[pages[0]])
        yield -1, f"{len(pages)} pages from {pages[0] << 12:#x} on: {change}"


def _others(before: np.ndarray, now: np.ndarray) -> list[int]:
    return np.flatnonzero(before != now).tolist() if len(before) == len(now) else []


def _from_to(machine: Machine, before: int, now: int) -> str:
    return f"of {owner_name(machine, int(before))}, now of {owner_name(machine, int(now))}"
