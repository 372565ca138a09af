"""An image's symbols: which function is at this address. System V ABI 4.1, chapter 4, Symbol Table.

All of the table at once as NumPy records, since a kernel has 100,000 of them. Symbols are a help to the
reader, never needed to run: a table that makes no sense is an empty table.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mksim.boot import elf
from mksim.errors import ImageError

SHT_SYMTAB = 2
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00  # from there on: absolute values, no places
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2

# fmt: off
SECTION = {
    32: np.dtype([("name", "<u4"), ("type", "<u4"), ("flags", "<u4"), ("addr", "<u4"), ("offset", "<u4"),
                  ("size", "<u4"), ("link", "<u4"), ("info", "<u4"), ("align", "<u4"), ("entsize", "<u4")]),
    64: np.dtype([("name", "<u4"), ("type", "<u4"), ("flags", "<u8"), ("addr", "<u8"), ("offset", "<u8"),
                  ("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("align", "<u8"), ("entsize", "<u8")]),
}
SYMBOL = {
    32: np.dtype([("name", "<u4"), ("value", "<u4"), ("size", "<u4"),
                  ("info", "u1"), ("other", "u1"), ("shndx", "<u2")]),
    64: np.dtype([("name", "<u4"), ("info", "u1"), ("other", "u1"), ("shndx", "<u2"),
                  ("value", "<u8"), ("size", "<u8")]),
}
# fmt: on

Array = np.ndarray[Any, np.dtype[Any]]


class Place(NamedTuple):
    """A symbol, and how many bytes behind its start."""

    name: str
    offset: int

    def __str__(self) -> str:
        return f"{self.name}+{self.offset:#x}" if self.offset else self.name


class Symbols:
    """Functions, objects and labels, in order of their addresses as linked."""

    def __init__(self, table: Array, strings: bytes) -> None:
        self.addresses = table["value"].astype(np.uint64)
        self.sizes = table["size"].astype(np.uint64)
        self.kinds = table["info"] & 15
        self._names = table["name"]
        self._strings = strings

    def __len__(self) -> int:
        return len(self.addresses)

    def name(self, index: int) -> str:
        """Return the name of the symbol at this place in the order."""
        start = int(self._names[index])
        return self._strings[start : self._strings.find(b"\0", start)].decode(errors="replace")

    def at(self, address: int) -> Place | None:
        """Return the last symbol that starts at or before an address, unless it ends before it."""
        index = int(np.searchsorted(self.addresses, np.uint64(address), side="right")) - 1
        if index < 0:
            return None
        offset = address - int(self.addresses[index])
        size = int(self.sizes[index])
        return None if size and offset >= size else Place(self.name(index), offset)

    def find(self, name: str) -> int | None:
        """Return the index of the symbol of this name."""
        return self.indices.get(name)

    @cached_property
    def indices(self) -> dict[str, int]:
        """Every name's index; the last one's where several symbols share a name."""
        return {self.name(index): index for index in range(len(self))}


EMPTY = Symbols(np.zeros(0, SYMBOL[64]), b"\0")


def read_symbols(data: memoryview) -> Symbols:
    """Return the symbols of an ELF file; none if it is no such file, stripped, or broken."""
    try:
        file = elf.parse(data)
        return EMPTY if file is None else _symbols(file)
    except ImageError:
        return EMPTY


def _symbols(file: elf.Elf) -> Symbols:
    sections = _records(file, SECTION[file.bits], file.header.shoff, file.header.shnum)
    for section in sections[sections["type"] == SHT_SYMTAB]:
        if section["link"] < len(sections):
            strings = sections[section["link"]]
            names = bytes(_cut(file, int(strings["offset"]), int(strings["size"]))) + b"\0"
            return Symbols(_defined(_table(file, section), names), names)
    return EMPTY


def _table(file: elf.Elf, section: Any) -> Array:
    layout = SYMBOL[file.bits]
    return _records(file, layout, int(section["offset"]), int(section["size"]) // layout.itemsize)


def _records(file: elf.Elf, layout: np.dtype[Any], offset: int, count: int) -> Array:
    return np.frombuffer(_cut(file, offset, count * layout.itemsize), layout)


def _cut(file: elf.Elf, offset: int, size: int) -> memoryview:
    if offset + size > len(file.data):
        raise ImageError(f"truncated: {offset:#x}-{offset + size:#x} reaches beyond {len(file.data):#x}")
    return file.data[offset : offset + size]


def _defined(table: Array, names: bytes) -> Array:
    """Return the symbols that name a place; of several at one address the most telling is the last."""
    kind = table["info"] & 15
    section = table["shndx"]
    named = (table["name"] > 0) & (table["name"] < len(names))
    placed = (section != SHN_UNDEF) & (section < SHN_LORESERVE)
    kept = table[named & placed & (kind <= STT_FUNC)]
    function = (kept["info"] & 15) == STT_FUNC
    return kept[np.lexsort((kept["info"] >> 4, kept["size"] > 0, function, kept["value"]))]
