"""Multiboot 1 images: ELF of 32 or 64 bits, or flat with a.out-style addresses. Multiboot Spec. 0.6.96.

Left out: the video mode that a header may ask for, a wish that a loader need not fulfil (3.1.4): there is no
screen, and bit 11 of the information's flags is clear. Symbols in the information (3.3, bits 4 and 5).
"""

import struct
from typing import NamedTuple

from mksim.boot import elf
from mksim.boot.image import Image, Protocol, Segment, in_order
from mksim.errors import ImageError
from mksim.fabric.ownership import Rights
from mksim.spec.span import Span

MAGIC = 0x1BADB002
SEARCH = 8192  # "contained completely within the first 8192 bytes", 3.1

# Flags, 3.1.2. In the lower half are requirements: who does not understand one must not load the image.
PAGE_ALIGN = 1 << 0  # modules on page boundaries: all of mksim's are
MEMORY_INFO = 1 << 1
VIDEO_MODE = 1 << 2
REQUIREMENTS = 0xFFFF
UNDERSTOOD = PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE
ADDRESSES = 1 << 16

FLAGS = struct.Struct("<III")
AOUT = struct.Struct("<IIIII")


class Addresses(NamedTuple):
    """The header's physical addresses, valid with flags bit 16; 3.1.3."""

    header: int
    load: int
    load_end: int
    bss_end: int
    entry: int


def recognise(data: memoryview) -> Image | None:
    """Return the image of a file with a multiboot header; None if it has none."""
    found = _header(data)
    if found is None:
        return None
    offset, flags = found
    if unknown := flags & REQUIREMENTS & ~UNDERSTOOD:
        raise ImageError(f"its multiboot header requires what Multiboot 1 does not know: flags {unknown:#x}")
    return _flat(data, offset) if flags & ADDRESSES else _elf(data)


def _header(data: memoryview) -> tuple[int, int] | None:
    """Return offset and flags of the first header whose checksum is right."""
    for offset in range(0, min(len(data), SEARCH) - FLAGS.size + 1, 4):
        magic, flags, checksum = FLAGS.unpack_from(data, offset)
        if magic == MAGIC and (magic + flags + checksum) & 0xFFFFFFFF == 0:
            return offset, flags
    return None


def _elf(data: memoryview) -> Image:
    file = elf.parse(data)
    if file is None:
        raise ImageError("its multiboot header gives no addresses (flags bit 16), and it is no ELF file")
    segments = elf.load_segments(file)
    entry = _physical(file.header.entry, segments)
    return Image(protocol=Protocol.MULTIBOOT, entry=entry, segments=segments, raw=data)


def _physical(entry: int, segments: tuple[Segment, ...]) -> int:
    """Return where an entry given as a virtual address is loaded, as GRUB does."""
    for segment in segments:
        if segment.virtual <= entry < segment.virtual + segment.span.size:
            return entry - segment.virtual + segment.span.base
    return entry


def _flat(data: memoryview, offset: int) -> Image:
    if offset + FLAGS.size + AOUT.size > min(len(data), SEARCH):
        raise ImageError(f"truncated: the addresses of the multiboot header at {offset:#x} are missing")
    at = Addresses(*AOUT.unpack_from(data, offset + FLAGS.size))
    contents = _contents(data, offset, at)
    loaded = Span(at.load, len(contents))
    if at.bss_end and at.bss_end < loaded.end:
        raise ImageError(f"its multiboot header ends the bss at {at.bss_end:#x}, in the loaded {loaded}")
    span = Span(at.load, max(loaded.size, at.bss_end - at.load))
    segment = Segment(span=span, virtual=at.load, data=contents, rights=Rights.ALL)
    return Image(protocol=Protocol.MULTIBOOT, entry=at.entry, segments=in_order([segment]), raw=data)


def _contents(data: memoryview, offset: int, at: Addresses) -> memoryview:
    """Return text and data: from `load` to `load_end`, or to the end of the file where that is 0. 3.1.3."""
    start = offset - (at.header - at.load)
    end = start + at.load_end - at.load if at.load_end else len(data)
    if at.load > at.header:
        raise ImageError(f"its multiboot header at {at.header:#x} loads it at {at.load:#x}, behind itself")
    if not 0 <= start < end <= len(data):
        raise ImageError(
            f"its multiboot header at {at.header:#x} puts bytes {start:#x}-{end:#x} of the file "
            f"at {at.load:#x}, but the file ends at {len(data):#x}"
        )
    return data[start:end]
