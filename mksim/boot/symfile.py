"""An ELF file of nothing but symbols, for a debugger to read. System V ABI 4.1, chapter 4."""

import struct

import numpy as np

from mksim.boot.symbols import SECTION, SHT_SYMTAB, STT_FUNC, SYMBOL, Symbols

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_IDENT = b"\x7fELF\2\1\1" + bytes(9)
_EXEC, _X86_64, _VERSION = 2, 62, 1
_STRTAB, _NOBITS = 3, 8
_ALLOC, _EXECUTE = 2, 4
_NAMES = b"\0.text\0.symtab\0.strtab\0"
_GLOBAL, _ABSOLUTE = 1, 0xFFF1
_TEXT, _SYMTAB, _STRINGS = 1, 2, 3
"""Sections."""


def symbol_file(symbols: Symbols) -> bytes:
    """Return such a file; its text section is where the first function is, up to the last symbol."""
    names = [symbols.name(index).encode() for index in range(len(symbols))]
    strings = b"\0" + b"".join(name + b"\0" for name in names) + _NAMES
    places = np.cumsum([1, *(len(name) + 1 for name in names)])
    rows = np.zeros(len(symbols) + 1, SYMBOL[64])
    rows["name"][1:], rows["value"][1:], rows["size"][1:] = places[:-1], symbols.addresses, symbols.sizes
    function = symbols.kinds == STT_FUNC
    rows["info"][1:] = _GLOBAL << 4 | symbols.kinds
    rows["shndx"][1:] = np.where(function, _TEXT, _ABSOLUTE)
    table = rows.tobytes()
    return _header() + _sections(symbols.addresses[function], len(table), len(strings)) + table + strings


def _header() -> bytes:
    return _HEADER.pack(
        _IDENT, _EXEC, _X86_64, _VERSION, 0, 0, _HEADER.size, 0, _HEADER.size, 0, 0,
        SECTION[64].itemsize, 4, _STRINGS,
    )  # fmt: skip


def _sections(text: np.ndarray, table: int, strings: int) -> bytes:
    rows = np.zeros(4, SECTION[64])
    where = _HEADER.size + rows.nbytes
    first, last = (int(text[0]), int(text[-1])) if len(text) else (0, 0)
    named = strings - len(_NAMES)
    rows[_TEXT] = (named + 1, _NOBITS, _ALLOC | _EXECUTE, first, where, last - first + 1, 0, 0, 16, 0)
    rows[_SYMTAB] = (named + 7, SHT_SYMTAB, 0, 0, where, table, _STRINGS, 1, 8, SYMBOL[64].itemsize)
    rows[_STRINGS] = (named + 15, _STRTAB, 0, 0, where + table, strings, 0, 0, 1, 0)
    return rows.tobytes()
