"""PVH: an ELF64 kernel entered in 32-bit protected mode. Xen, docs/misc/pvh.pandoc and public/elfnote.h.

The note PHYS32_ENTRY makes it PVH; PHYS32_RELOC (Xen 4.20, Linux 6.14) says that it also runs elsewhere.
"""

import struct

from mksim.boot import elf, linux
from mksim.boot.image import Image, LowMemory, Protocol, Relocation
from mksim.errors import ImageError
from mksim.spec.memmap import PAGE

XEN = b"Xen"
GUEST_OS = 6
PHYS32_ENTRY = 18
PHYS32_RELOC = 19
RELOC_ALIGN = 0x200000
RELOC_MAXIMUM = 0xFFFFFFFF
"""Of the last byte, where the note ends before it says so; the minimum is then 0."""


def recognise(data: memoryview) -> Image | None:
    """Return the image of an ELF64 file that has a PVH entry; None if it has none."""
    file = elf.parse(data)
    if file is None or file.bits != 64:
        return None
    xen = {note.type: note.desc for note in elf.notes(file) if note.name == XEN}
    if PHYS32_ENTRY not in xen:
        return None
    return Image(
        protocol=Protocol.PVH,
        entry=_entry(xen[PHYS32_ENTRY]),
        segments=elf.load_segments(file),
        relocation=_relocation(xen[PHYS32_RELOC], file) if PHYS32_RELOC in xen else None,
        low=linux.LOW if xen.get(GUEST_OS, b"").rstrip(b"\0") == b"linux" else LowMemory(),
        raw=data,
    )


def _entry(desc: bytes) -> int:
    # A 32-bit value, but Linux writes it as wide as its pointers are.
    if len(desc) not in (4, 8):
        raise ImageError(f"the PVH entry note has {len(desc)} bytes instead of 4 or 8")
    return int.from_bytes(desc, "little")


def _relocation(desc: bytes, file: elf.Elf) -> Relocation:
    values = struct.unpack_from(f"<{min(len(desc) // 4, 3)}I", desc)
    defaults = (_default_align(file), 0, RELOC_MAXIMUM)
    align, minimum, maximum = values + defaults[len(values) :]
    if align < PAGE or align & (align - 1) or minimum > maximum:
        raise ImageError(f"the PVH relocation note wants alignment {align:#x} in {minimum:#x}-{maximum:#x}")
    return Relocation(align=align, minimum=minimum, maximum=maximum)


def _default_align(file: elf.Elf) -> int:
    # Where the note leaves the alignment out, Xen takes the largest p_align of a page or more, else 2 MiB.
    largest = max((program.align for program in file.programs if program.type == elf.PT_LOAD), default=0)
    return largest if largest >= PAGE else RELOC_ALIGN
