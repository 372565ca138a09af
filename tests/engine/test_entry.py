"""Native functions for callers outside: kept as object code as long as it is fresh and whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mksim import nativecache
from mksim.engine.entry import Entry
from mksim.engine.panel import first_cell
from mksim.engine.records import MACHINE
from mksim.hw.vga import VGA
from mksim.spec import vga


class Counted(Entry):
    """The panel's `first_cell`, kept in a file of its own; counts how often it had to be compiled."""

    compiled = 0

    def __init__(self, file: Path) -> None:
        super().__init__(first_cell._function, first_cell._signature)
        self.file = file

    @property
    def _file(self) -> Path:
        return self.file

    def compile(self) -> tuple[str, bytes]:
        self.compiled += 1
        return super().compile()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that holds the object code."""
    file = tmp_path / "first_cell.o"
    assert Counted(file).address
    return file


def test_python_calls_it_with_plain_numbers(file: Path) -> None:
    machine, chip = np.zeros(1, MACHINE), np.zeros(1, VGA)
    chip["cr"][0][vga.CR_START_HIGH] = 3
    machine["vga"] = chip.ctypes.data
    assert Counted(file)(machine.ctypes.data) == 0x300


def test_it_is_compiled_once(file: Path) -> None:
    entry = Counted(file)
    assert entry.address
    assert entry.address == entry.address
    assert entry.compiled == 0


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_damaged_file_is_not_loaded(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    entry = Counted(file)
    assert entry.address
    assert entry.compiled == 1


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_a_file_that_breaks_off_is_not_loaded(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    entry = Counted(file)
    assert entry.address
    assert entry.compiled == 1


def test_code_of_another_source_is_not_loaded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Counted(file)
    monkeypatch.setattr(nativecache.Locator, "get_source_stamp", lambda _self: "another")
    assert entry.address
    assert entry.compiled == 1


ALONE = """
from mksim.engine import schedule
schedule.run.compile()
"""


def test_one_is_compiled_where_nothing_else_is_loaded() -> None:
    """What Numba has kept of what it calls has calls of functions that have no address in this process."""
    run = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
