"""Interposition: libunicorn's uses of its own exported functions, sent to ours.

The wheel calls what it exports through its procedure linkage table, and takes its address from the global
offset table or from tables of its own, as any ELF library does that is not linked with -Bsymbolic. What these
slots hold is where the call goes (System V ABI, AMD64 supplement, 4.4 and 5.2), so one store to each puts a
native function in the place of QEMU's, which can still be called by its own name.

Among them are the helpers that translated code calls. QEMU knows a helper by its address from the moment when
an engine is set up, so all this is done before the first engine is.
"""

import ctypes
import mmap
import struct
from dataclasses import dataclass

import numpy as np
from unicorn.unicorn_py3.unicorn import uclib

from mksim.errors import EngineError

_PROGRAMS_AT = 0x20
_PROGRAM = struct.Struct("<IIQQQQQQ")
_PT_DYNAMIC = 2
_DT_PLTRELSZ, _DT_STRTAB, _DT_SYMTAB, _DT_RELA, _DT_RELASZ, _DT_STRSZ, _DT_JMPREL = 2, 5, 6, 7, 8, 10, 23
_SYMBOL = np.dtype([("name", "<u4"), ("rest", "<u4"), ("value", "<u8"), ("size", "<u8")])
_RELOCATION = np.dtype([("slot", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
_KNOWN = "uc_version"
"""A function whose address tells where the library is."""


@dataclass(frozen=True, slots=True)
class Linkage:
    """The tables of libunicorn's file that tell which slot is whose."""

    strings: bytes
    symbols: np.ndarray
    relocations: np.ndarray
    base: int
    """Where the library is in memory."""

    def slots(self, function: str) -> list[int]:
        """Return the addresses of all that calls of an exported function go through."""
        symbol = _index(self.strings, self.symbols, function)
        found = self.relocations["slot"][self.relocations["symbol"] == symbol]
        if not len(found):
            raise EngineError(f"libunicorn does not call {function} through its linkage tables")
        return [self.base + int(slot) for slot in found]


def _index(strings: bytes, symbols: np.ndarray, function: str) -> int:
    name = strings.find(b"\0" + function.encode() + b"\0") + 1
    found = np.flatnonzero(symbols["name"] == name)
    if not name or not len(found):
        raise EngineError(f"libunicorn does not export {function}")
    return int(found[0])


def linkage() -> Linkage:
    """Read the tables of the library that is loaded."""
    with open(uclib._name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        dynamic = _dynamic(data)
        start, end = dynamic[_DT_SYMTAB], dynamic[_DT_STRTAB]  # the linker puts one before the other
        symbols = np.frombuffer(data[start : end - (end - start) % _SYMBOL.itemsize], _SYMBOL)
        strings = data[end : end + dynamic[_DT_STRSZ]]
        calls = data[dynamic[_DT_JMPREL] : dynamic[_DT_JMPREL] + dynamic[_DT_PLTRELSZ]]
        addresses = data[dynamic[_DT_RELA] : dynamic[_DT_RELA] + dynamic[_DT_RELASZ]]
    known = int(symbols["value"][_index(strings, symbols, _KNOWN)])
    address = ctypes.cast(getattr(uclib, _KNOWN), ctypes.c_void_p).value or 0
    return Linkage(strings, symbols, np.frombuffer(calls + addresses, _RELOCATION), address - known)


def _dynamic(data: mmap.mmap) -> dict[int, int]:
    """Return the dynamic section, whose addresses are also file offsets as far as they are read here."""
    (programs,) = struct.unpack_from("<Q", data, _PROGRAMS_AT)
    size, count = struct.unpack_from("<HH", data, 0x36)
    for index in range(count):
        kind, _, offset, _, _, length, _, _ = _PROGRAM.unpack_from(data, programs + index * size)
        if kind == _PT_DYNAMIC:
            return dict(np.frombuffer(data[offset : offset + length], "<u8").reshape(-1, 2).tolist())
    raise EngineError("libunicorn has no dynamic section")


def interpose(functions: dict[str, int]) -> None:
    """Have libunicorn call the native functions at these addresses in place of its own of those names."""
    tables = linkage()
    slots = {slot: address for name, address in functions.items() for slot in tables.slots(name)}
    for page in sorted({slot & -mmap.PAGESIZE for slot in slots}):
        _make_writable(page)
    for slot, address in slots.items():
        ctypes.c_uint64.from_address(slot).value = address


def _make_writable(page: int) -> None:
    """Take back what the dynamic linker does to addresses once they are filled in (PT_GNU_RELRO)."""
    rights = mmap.PROT_READ | mmap.PROT_WRITE
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), rights):
        raise EngineError("the linkage tables of libunicorn cannot be written")
