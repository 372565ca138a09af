"""An image's code as text, by Capstone: one line per instruction, functions and targets by name.

Addresses are those the image was linked for, as in its symbols. A kernel that was moved runs that much
further up: its layout says how much.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import capstone

from mksim.boot.image import Image
from mksim.boot.symbols import Symbols

MODES = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}
BRANCH_TARGET = re.compile(r"0x([0-9a-f]+)")
RIP_RELATIVE = re.compile(r"\[rip ([+-]) 0x([0-9a-f]+)\]")


@dataclass(frozen=True, slots=True)
class Extent:
    """What to disassemble: from an address as linked, so many bytes or instructions at most."""

    start: int
    bits: int
    size: int | None = None
    count: int | None = None


def disassemble(image: Image, symbols: Symbols, extent: Extent) -> Iterator[str]:
    """Yield the instructions of an extent as lines; what is none is shown as bytes."""
    return disassemble_code(bytes_at(image, extent.start, extent.size), symbols, extent)


def disassemble_code(code: bytes, symbols: Symbols, extent: Extent) -> Iterator[str]:
    """Yield the same of code that was read from somewhere else."""
    decoder = capstone.Cs(capstone.CS_ARCH_X86, MODES[extent.bits])
    decoder.skipdata = True
    for instruction in islice(decoder.disasm(code, extent.start), extent.count):
        here = symbols.at(instruction.address)
        if here and (here.offset == 0 or instruction.address == extent.start):
            yield f"{here}:"
        yield _line(instruction, symbols)


def _line(instruction: Any, symbols: Symbols) -> str:
    code = instruction.bytes.hex(" ")
    text = f"{instruction.mnemonic} {instruction.op_str}".strip()
    return f"{instruction.address:12x}  {code:<32}  {text}{_target(instruction, symbols)}"


def _target(instruction: Any, symbols: Symbols) -> str:
    """Return the name of what an instruction jumps to, or reaches relative to RIP."""
    address = None
    if match := BRANCH_TARGET.fullmatch(instruction.op_str):
        address = int(match[1], 16)
    elif match := RIP_RELATIVE.search(instruction.op_str):
        address = instruction.address + instruction.size + int(match[1] + match[2], 16)
    place = symbols.at(address) if address is not None and 0 <= address < 1 << 64 else None
    return f"  <{place}>" if place else ""


def bytes_at(image: Image, start: int, size: int | None) -> bytes:
    """Return what the image holds from an address as linked, to the end of its segment at most."""
    for segment in image.segments:
        offset = start - segment.virtual
        if 0 <= offset < len(segment.data):
            return bytes(segment.data[offset : None if size is None else offset + size])
    return b""


def linked_entry(image: Image) -> int:
    """Return the entry, which is physical, as the address it was linked for."""
    for segment in image.segments:
        if image.entry in segment.span:
            return image.entry - segment.span.base + segment.virtual
    return image.entry


def extent_of(symbols: Symbols, index: int, bits: int, count: int | None) -> Extent:
    """Return a symbol's extent: by its size, or else up to the next symbol."""
    start, size = int(symbols.addresses[index]), int(symbols.sizes[index])
    after = (int(address) for address in symbols.addresses[index:] if int(address) > start)
    end = start + size if size else next(after, None)
    return Extent(start, bits, None if end is None else end - start, count)
