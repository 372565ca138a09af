"""An image's source lines: which line of which file is the code at this address from. DWARF 4 and 5, 6.2.

As symbols, they are a help to the reader: an image without them, or with some that make no sense, has none.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from elftools.elf.elffile import ELFFile

LIMIT = 8 << 20
"""Bytes of .debug_line that are read: a kernel of our own has a tenth of a MiB, Linux's takes minutes."""


class Source(NamedTuple):
    """A place in a program's text; the file as the compiler was told of it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Lines:
    """Rows of all line tables, by address as linked."""

    def __init__(self, rows: list[tuple[int, str, int]]) -> None:
        rows = sorted(
            rows, key=lambda row: row[0]
        )  # in order where several have one address: the last counts
        self._addresses = np.array([row[0] for row in rows], np.uint64)
        self._rows = rows

    def at(self, address: int) -> Source | None:
        """Return where the code at an address is from; None where no table says so."""
        index = int(np.searchsorted(self._addresses, np.uint64(address), side="right")) - 1
        if index < 0 or self._rows[index][2] == 0:
            return None
        return Source(*self._rows[index][1:])

    def find(self, file: str, line: int) -> list[int]:
        """Return where stretches of code of a line begin; the file may lack its folders."""
        found, inside = [], False
        for address, name, number in self._rows:
            here = number == line and f"/{name}".endswith(f"/{file}")
            if here and not inside:
                found.append(address)
            inside = here
        return found


EMPTY = Lines([])


def read_lines(data: memoryview) -> Lines:
    """Return the source lines of an ELF file; none if it is no such file, stripped, or broken."""
    if bytes(data[:4]) != b"\x7fELF":
        return EMPTY
    try:
        file = ELFFile(BytesIO(data))
        section = file.get_section_by_name(".debug_line")
        if section is None or section.data_size > LIMIT:
            return EMPTY
        return Lines(list(_rows(file.get_dwarf_info())))
    except Exception:  # of whatever kind: pyelftools is made for files that compilers have written
        return EMPTY


def _rows(dwarf: Any) -> Iterator[tuple[int, str, int]]:
    """Yield (address, file, line); line 0 where a sequence of code ends."""
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        names = _names(program)
        for entry in program.get_entries():
            if (state := entry.state) is not None:
                known = 0 <= state.file < len(names) and not state.end_sequence
                yield state.address, names[state.file] if known else "", state.line if known else 0


def _names(program: Any) -> list[str]:
    """Return the files of a line table by their numbers, which begin at 1 before DWARF 5."""
    fresh = program.header.version >= 5
    folders = [_text(folder) for folder in program.header.include_directory]
    folders = ["", *folders[1:]] if fresh else ["", *folders]  # the first one is where the compiler ran
    names = [] if fresh else [""]
    for file in program.header.file_entry:
        folder, name = folders[file.dir_index] if file.dir_index < len(folders) else "", _text(file.name)
        names.append(f"{folder}/{name}" if folder and not name.startswith("/") else name)
    return names


def _text(name: Any) -> str:
    return bytes(name if isinstance(name, bytes) else name.name).decode(errors="replace")
