"""ELF executables: headers, what to load, and notes. System V ABI, Edition 4.1, chapters 4 and 5.

Read strictly and in bounded time, since any bytes may come: no field is believed before it was compared with
the file's length. Not read here: sections (see `symbols.py`), dynamic linking, extended numbering (PN_XNUM).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mksim.boot.image import Segment, in_order
from mksim.errors import ImageError
from mksim.fabric.ownership import Rights
from mksim.spec.span import Span, align_up

MAGIC = b"\x7fELF"
ELFCLASS = {1: 32, 2: 64}
ELFDATA2LSB = 1
ET_EXEC, ET_DYN = 2, 3
EM_386, EM_X86_64 = 3, 62
PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xFFFF
RIGHTS = ((1, Rights.X), (2, Rights.W), (4, Rights.R))  # p_flags: chapter 5, Segment Permissions


class Header(NamedTuple):
    """Chapter 4, ELF Header; the e_ident bytes before it are checked apart."""

    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


class Program(NamedTuple):
    """Chapter 5, Program Header, in the order of ELF64."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


IDENT_SIZE = 16
HEADER = {32: struct.Struct("<HHIIIIIHHHHHH"), 64: struct.Struct("<HHIQQQIHHHHHH")}
PROGRAM = {32: struct.Struct("<IIIIIIII"), 64: struct.Struct("<IIQQQQQQ")}
PROGRAM32_ORDER = (0, 6, 1, 2, 3, 4, 5, 7)  # ELF32 keeps p_flags near the end
NOTE = struct.Struct("<III")  # namesz, descsz, type: chapter 5, Note Section


class Note(NamedTuple):
    """One entry of a PT_NOTE segment."""

    name: bytes
    type: int
    desc: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """An x86 executable's headers, and the file they are about."""

    bits: int
    header: Header
    programs: tuple[Program, ...]
    data: memoryview

    def bytes_of(self, program: Program) -> memoryview:
        """Return what the file holds of a segment; ImageError where it ends too early."""
        end = program.offset + program.filesz
        if end > len(self.data):
            raise ImageError(
                f"truncated: a segment's bytes {program.offset:#x}-{end - 1:#x} reach beyond "
                f"the end of the file at {len(self.data):#x}"
            )
        return self.data[program.offset : end]


def parse(data: memoryview) -> Elf | None:
    """Return an ELF file's headers; None if it is no ELF file, ImageError if no x86 executable."""
    if data[:4] != MAGIC:
        return None
    bits = _bits(data)
    header = Header(*_unpack(HEADER[bits], data, IDENT_SIZE, "ELF header"))
    _check(header, bits)
    return Elf(bits=bits, header=header, programs=tuple(_programs(data, header, bits)), data=data)


def _bits(data: memoryview) -> int:
    if len(data) < IDENT_SIZE:
        raise ImageError(f"truncated: only {len(data)} bytes")
    if data[4] not in ELFCLASS or data[5] != ELFDATA2LSB:
        raise ImageError(f"neither 32 nor 64 bits little-endian (class {data[4]}, encoding {data[5]})")
    return ELFCLASS[data[4]]


def _check(header: Header, bits: int) -> None:
    wanted = EM_X86_64 if bits == 64 else EM_386
    if header.machine != wanted:
        raise ImageError(f"e_machine is {header.machine}, not {wanted} as in x86 code of {bits} bits")
    if header.type not in (ET_EXEC, ET_DYN):
        raise ImageError(f"e_type is {header.type}: an object file or core dump, no executable")
    if header.phnum == PN_XNUM or (header.phnum and header.phentsize != PROGRAM[bits].size):
        raise ImageError(f"{header.phnum} program headers of {header.phentsize} bytes make no sense")


def _unpack(layout: struct.Struct, data: memoryview, offset: int, what: str) -> tuple[int, ...]:
    if offset + layout.size > len(data):
        raise ImageError(
            f"truncated: {what} at {offset:#x} reaches beyond the end of the file at {len(data):#x}"
        )
    return layout.unpack_from(data, offset)


def _programs(data: memoryview, header: Header, bits: int) -> Iterator[Program]:
    for index in range(header.phnum):
        offset = header.phoff + index * header.phentsize
        fields = _unpack(PROGRAM[bits], data, offset, f"program header {index}")
        yield Program(*fields) if bits == 64 else Program(*(fields[i] for i in PROGRAM32_ORDER))


def load_segments(elf: Elf) -> tuple[Segment, ...]:
    """Return what is to be loaded, by physical address; ImageError if it is nothing, or nonsense."""
    programs = (program for program in elf.programs if program.type == PT_LOAD and program.memsz)
    return in_order(_segment(elf, program) for program in programs)


def _segment(elf: Elf, program: Program) -> Segment:
    if program.filesz > program.memsz:
        raise ImageError(f"a segment holds {program.filesz:#x} bytes in {program.memsz:#x} of memory")
    rights = Rights.NONE
    for bit, right in RIGHTS:
        rights |= right if program.flags & bit else Rights.NONE
    span = Span(program.paddr, program.memsz)
    return Segment(span=span, virtual=program.vaddr, data=elf.bytes_of(program), rights=rights)


def notes(elf: Elf) -> Iterator[Note]:
    """Yield the notes of all PT_NOTE segments, as far as they are well-formed."""
    for program in elf.programs:
        if program.type == PT_NOTE:
            yield from _notes(elf.bytes_of(program), 8 if program.align == 8 else 4)


def _notes(data: memoryview, align: int) -> Iterator[Note]:
    at = 0
    while at + NOTE.size <= len(data):
        namesz, descsz, kind = NOTE.unpack_from(data, at)
        name = at + NOTE.size
        desc = at + align_up(NOTE.size + namesz, align)
        at = desc + align_up(descsz, align)
        if desc + descsz > len(data):
            return
        yield Note(bytes(data[name : name + namesz]).rstrip(b"\0"), kind, bytes(data[desc : desc + descsz]))
