"""Stepping over what an engine's mappings do not allow, where the machine trusts its kernels.

Code in another's memory cannot run out of a region with callbacks, and a store to a page that is mapped
read-only does not happen. For a block such pages are opened, no further than it takes, and closed again, and
for ever longer while the core stays there; each right that had to be added is a crossing in the ledger.
"""

import numpy as np

from mksim.engine import panel, records, schedule
from mksim.engine.board import Board
from mksim.engine.engine import Engine
from mksim.errors import MksimBug
from mksim.fabric.ownership import Rights
from mksim.spec import memmap

# Unicorn's errors (unicorn.h), and the right whose lack each of them is
WRITE_PROT, READ_PROT, FETCH_PROT = 12, 13, 14
NEEDS = {WRITE_PROT: Rights.W, READ_PROT: Rights.R, FETCH_PROT: Rights.X}


def step_over(board: Board, engine: Engine, core: int, error: int, rom: np.ndarray) -> int:
    """Let a core run on from where Unicorn stopped with `error`, and return what it requested.

    Whatever it did to the ROM is undone.
    """
    pristine = rom.copy()
    opened: dict[int, Rights] = {}
    request = records.NOTHING
    cycles = panel.stretch(board.address, core)
    while error:
        if error not in NEEDS:
            raise MksimBug(f"engine of {engine.name}, core {core}: Unicorn error {error} while stepping")
        page = int(engine.record["fault_address"][0]) & -memmap.PAGE
        _open(board, engine, opened, page, NEEDS[error])
        request, error = _run(board, engine, core, cycles)
    for page in opened:
        engine.close_page(page)
    rom[:] = pristine
    return request


def _open(board: Board, engine: Engine, opened: dict[int, Rights], page: int, right: Rights) -> None:
    if page not in opened:
        opened[page] = engine.rights_at(page)
    opened[page] |= right
    engine.open_page(page, opened[page], board.memory)


def _run(board: Board, engine: Engine, core: int, cycles: int) -> tuple[int, int]:
    """Run on; return the request and Unicorn's error, 0 if none. What the core lacked is recorded."""
    outcome = panel.step(board.address, core, cycles)
    error = max(0, outcome - schedule.FAULT_BASE)
    if error == WRITE_PROT:
        panel.refuse_store(board.address, core)
    elif error == READ_PROT:
        page = int(engine.record["fault_address"][0]) & -memmap.PAGE
        panel.note_read(board.address, core, page)
    return (records.NOTHING, error) if error else (outcome, 0)
