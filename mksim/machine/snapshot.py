"""Snapshots: all that a run changes, as a value. Restored, it runs on to the very digest it would have had.

Taken between two runs, so at the boundary of a slice. What can be had again is not kept: translated code,
cached page walks, zero pages. Layout, ROM and ownership never change; so a snapshot fits any machine of the
same layout, whose arrays are elsewhere.
"""

from copy import copy
from dataclasses import dataclass

import numpy as np

from mksim.engine import panel
from mksim.engine.board import Board
from mksim.errors import MksimBug
from mksim.machine.config import Layout
from mksim.machine.kernel import Life
from mksim.machine.machine import Machine
from mksim.spec.memmap import PAGE

ENGINE_ADDRESSES = (
    "uc", "stubs", "cpu", "env", "machine", "rights", "direct", "code_pages", "rips", "memory", "marks",
)  # fmt: skip
"""Fields of ENGINE that say where something is, not what it is."""
ADDRESSES = {"engines": ENGINE_ADDRESSES, "blocks": ("contents",)}
OBSERVED = ("trace_size", "trace_count", "trace_lost")
"""Fields of MACHINE that an observer sets: a machine is looked at as before, whatever it is put back to."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One machine at one moment; nothing in it is shared with the machine."""

    layout: Layout
    seed: int
    arrays: dict[str, np.ndarray]
    """Bytes of each, by the field of MACHINE that points to it: a copied record loses what has no name."""
    machine: np.ndarray
    pages: np.ndarray
    """Frames of DRAM that are not all zeros, and below their contents."""
    contents: np.ndarray
    test_memory: np.ndarray | None
    """None while it is all zeros, as it nearly always is."""
    lives: list[Life]
    due: list[tuple[int, int]]


def take(machine: Machine) -> Snapshot:
    """Return the machine as it is; it may run on."""
    board = machine.board
    _unload(machine)
    pages = _used(board.memory)
    return Snapshot(
        layout=machine.layout,
        seed=machine.seed,
        arrays={name: _bytes(array).copy() for name, array in _changing(board).items()},
        machine=_bytes(board.machine).copy(),
        pages=pages,
        contents=board.memory.reshape(-1, PAGE)[pages],
        test_memory=board.test_memory.copy() if board.test_memory.any() else None,
        lives=[_copy(life) for life in machine.lives],
        due=list(machine._due),
    )


def restore(machine: Machine, snapshot: Snapshot) -> None:
    """Put a machine back to a snapshot of it, or of another machine of its layout; MksimBug otherwise."""
    if machine.layout is not snapshot.layout and machine.layout != snapshot.layout:
        raise MksimBug("a snapshot was restored into a machine of another layout")
    board = machine.board
    _unload(machine)
    machine.seed = snapshot.seed
    for name, array in _changing(board).items():
        _copy_fields(snapshot.arrays[name], array, ADDRESSES.get(name, ()))
    kept = (*(name for name, _ in board._arrays()), *OBSERVED, "debugger")
    _copy_fields(snapshot.machine, board.machine, kept)
    _restore_memory(board.memory, snapshot)
    if snapshot.test_memory is not None:
        board.test_memory[:] = snapshot.test_memory
    elif board.test_memory.any():
        board.test_memory[:] = 0
    machine.lives[:] = [_copy(life) for life in snapshot.lives]
    machine._due[:] = snapshot.due
    for engine in machine.engines:
        engine.flush()


def _unload(machine: Machine) -> None:
    for number in range(len(machine.engines)):
        panel.unload(machine.board.address, number)


_FIXED = frozenset(
    ("memory", "page_owner", "port_owner", "vectors", "signals", "port_device", "port_unit", "cpuid",
     "uart_wires", "ioapic_owner", "fw_items", "fw_data", "trace",
     "iommu_owner", "ioapic_iommu")
)  # fmt: skip
"""Arrays of the board that the layout determines, and memory, which is kept by pages."""


def _changing(board: Board) -> dict[str, np.ndarray]:
    return {name: array for name, array in board._arrays() if name not in _FIXED}


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1).view(np.uint8)


def _copy_fields(source: np.ndarray, target: np.ndarray, addresses: tuple[str, ...]) -> None:
    """Put an array's bytes back, all but the fields that are addresses."""
    kept = {name: target[name].copy() for name in addresses}
    _bytes(target)[:] = source
    for name, value in kept.items():
        target[name] = value


def _used(memory: np.ndarray) -> np.ndarray:
    return np.flatnonzero(memory.reshape(-1, PAGE).view(np.uint64).any(axis=1))


def _restore_memory(memory: np.ndarray, snapshot: Snapshot) -> None:
    frames = memory.reshape(-1, PAGE)
    frames[np.setdiff1d(_used(memory), snapshot.pages, assume_unique=True)] = 0
    frames[snapshot.pages] = snapshot.contents


def _copy(life: Life) -> Life:
    twin = copy(life)
    twin.ends = list(life.ends)
    return twin
