"""Tiny images, spelt out byte by byte so that the tests need no compiler."""

import struct
from collections.abc import Sequence

import numpy as np

from mksim.spec.handoff import LINUX_ENTRY_64, LINUX_HEADER_START, SETUP_HEADER

PT_LOAD, PT_NOTE = 1, 4
EHDR = {32: struct.Struct("<16sHHIIIIIHHHHHH"), 64: struct.Struct("<16sHHIQQQIHHHHHH")}
PHDR = {32: struct.Struct("<8I"), 64: struct.Struct("<IIQQQQQQ")}
CODE = b"\xfa\xf4\xeb\xfd"  # cli; hlt; jmp back to the hlt
Program = tuple[int, int, int, int, bytes, int]
"""Type, p_flags, p_vaddr, p_paddr, contents, p_memsz."""


def load(base: int, contents: bytes = CODE, size: int = 0x1000, virtual: int | None = None) -> Program:
    return PT_LOAD, 7, base if virtual is None else virtual, base, contents, size


def note(kind: int, desc: bytes, name: bytes = b"Xen\0") -> Program:
    padded = [part.ljust(-(-len(part) // 4) * 4, b"\0") for part in (name, desc)]
    return PT_NOTE, 4, 0, 0, struct.pack("<III", len(name), len(desc), kind) + b"".join(padded), 0


def elf(
    programs: Sequence[Program], entry: int = 0, bits: int = 64, machine: int = 0, kind: int = 2
) -> bytes:
    ident = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1, 1])
    machine = machine or (3 if bits == 32 else 62)
    size, phentsize = EHDR[bits].size, PHDR[bits].size
    offset = size + phentsize * len(programs)
    headers, contents = b"", b""
    for type_, flags, vaddr, paddr, data, memsz in programs:
        at = offset + len(contents)
        fields = (type_, flags, at, vaddr, paddr, len(data), memsz, 4)
        if bits == 32:
            fields = (type_, at, vaddr, paddr, len(data), memsz, flags, 4)
        headers += PHDR[bits].pack(*fields)
        contents += data
    shape = (size, phentsize, len(programs), 0, 0, 0)
    return EHDR[bits].pack(ident, kind, machine, 1, entry, size, 0, 0, *shape) + headers + contents


def pvh(
    base: int = 0x1000000, size: int = 0x1000, reloc: Sequence[int] | None = None, entry: int | None = None
) -> bytes:
    notes = [note(18, struct.pack("<I", base if entry is None else entry))]
    if reloc is not None:
        notes.append(note(19, struct.pack(f"<{len(reloc)}I", *reloc)))
    return elf([load(base, size=size), *notes], entry=base)


def movable(size: int = 0x1000) -> bytes:
    return pvh(size=size, reloc=(0x200000, 0, 0xFFFFFFFF))


def multiboot_header(flags: int, *addresses: int) -> bytes:
    checksum = -(0x1BADB002 + flags) & 0xFFFFFFFF
    return struct.pack(f"<{3 + len(addresses)}I", 0x1BADB002, flags, checksum, *addresses)


def multiboot_elf(base: int = 0x100000, bits: int = 32, flags: int = 3) -> bytes:
    return elf([load(base, multiboot_header(flags) + CODE)], entry=base + 12, bits=bits)


def multiboot_flat(base: int = 0x100000, bss: int = 0x100) -> bytes:
    size = 32 + len(CODE)
    addresses = (base, base, base + size, base + size + bss, base + 32)
    return multiboot_header(1 << 16, *addresses) + CODE


def bzimage(size: int = 0x2000, code: bytes = CODE, **fields: int) -> bytes:
    """Return a bzImage with a HLT, or `code`, at its 64-bit entry; `fields` are of its setup header."""
    header = np.zeros(1, SETUP_HEADER)
    header["jump"], header["magic"], header["version"] = 0x6AEB, b"HdrS", 0x20F
    header["setup_sects"], header["loadflags"], header["xloadflags"] = 1, 1, 1
    header["syssize"], header["init_size"] = size // 16, 2 * size
    header["pref_address"], header["kernel_alignment"], header["relocatable_kernel"] = 1 << 24, 1 << 21, 1
    for name, value in fields.items():
        header[name] = value
    setup = (bytes(LINUX_HEADER_START) + header.tobytes()).ljust(0x400, b"\0")
    return setup + (bytes(LINUX_ENTRY_64) + code).ljust(size, b"\0")
