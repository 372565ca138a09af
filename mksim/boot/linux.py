"""Linux's bzImage, entered in 64-bit mode. Linux, Documentation/arch/x86/boot.rst ("the boot protocol").

The file begins with the real-mode part, which no 64-bit loader runs; of it only the setup header counts.
Behind it stands the protected-mode part, which finds the rest out by itself. memtest86+ comes in this format
too.
"""

import numpy as np

from mksim.boot.image import Image, LowMemory, Protocol, Relocation, Segment
from mksim.errors import ImageError
from mksim.fabric.ownership import Rights
from mksim.spec.handoff import BOOT_PARAMS, LINUX_ENTRY_64, LINUX_HEADER_START, SETUP_HEADER
from mksim.spec.memmap import HIGH_DRAM, PAGE
from mksim.spec.span import Span, align_up

MAGIC_AT = 0x202
MAGIC = b"HdrS"
JUMP_AT = 0x201
MINIMUM = 0x268
"""Where the header of the oldest version that we take ends."""
OLDEST = 0x020C
"""The first version that tells of a 64-bit entry (xloadflags)."""
XLF_KERNEL_64 = 1 << 0
LOADED_HIGH = 1 << 0
SECTOR = 512
DEFAULT_SETUP_SECTORS = 4
"""What setup_sects 0 means."""
LOW = LowMemory(size=0x8000, minimum=0x10000, bios_data=True)
"""Linux's real-mode trampoline takes up to 7 pages at a stretch (6.12), and it leaves the first 64 KiB alone,
because BIOSes write there (arch/x86/kernel/setup.c)."""
RELOCATE_LIMIT = (1 << 32) - 1


def recognise(data: memoryview) -> Image | None:
    """Return the image of a bzImage; None if the file is none."""
    if bytes(data[MAGIC_AT : MAGIC_AT + len(MAGIC)]) != MAGIC:
        return None
    header = _header(data)
    start = (int(header["setup_sects"]) or DEFAULT_SETUP_SECTORS) * SECTOR + SECTOR
    if start >= len(data):
        raise ImageError(f"truncated: its kernel begins at {start:#x}, but the file ends at {len(data):#x}")
    contents = data[start : start + _size(header, start, len(data))]
    return _image(data, header, contents)


def _header(data: memoryview) -> np.void:
    """Return the setup header, found to be one that can be entered in 64-bit mode."""
    end = MAGIC_AT + int(data[JUMP_AT])  # its first instruction jumps over the rest of it
    if len(data) < max(end, MINIMUM):
        raise ImageError(f"truncated: its setup header ends at {end:#x}, but the file at {len(data):#x}")
    told = bytes(data[LINUX_HEADER_START:end])[: SETUP_HEADER.itemsize]
    header = np.frombuffer(told.ljust(SETUP_HEADER.itemsize, b"\0"), SETUP_HEADER)[0]
    version = int(header["version"])
    if version < OLDEST:
        raise ImageError(
            f"its boot protocol {version >> 8}.{version & 0xFF:02} is older than 2.12: it has no 64-bit entry"
        )
    if not header["xloadflags"] & XLF_KERNEL_64:
        raise ImageError("a 32-bit Linux: its setup header offers no 64-bit entry (xloadflags bit 0)")
    if not header["loadflags"] & LOADED_HIGH:
        raise ImageError("a zImage, to be loaded below 1 MiB (loadflags bit 0), where no kernel has the room")
    return header


def _size(header: np.void, start: int, end: int) -> int:
    """Return the bytes of the protected-mode part; syssize counts 16 of them at a time."""
    told = int(header["syssize"]) * 16
    # The last unit need not be whole in the file.
    if not LINUX_ENTRY_64 < told < end - start + 16:
        raise ImageError(
            f"its setup header says that {told:#x} bytes follow at {start:#x}, but the file ends at {end:#x}"
        )
    return told


def _image(data: memoryview, header: np.void, contents: memoryview) -> Image:
    base, room = int(header["pref_address"]), int(header["init_size"])
    if not HIGH_DRAM <= base < RELOCATE_LIMIT or room < len(contents):
        raise ImageError(
            f"its setup header wants {room:#x} bytes from {base:#x} on for {len(contents):#x} bytes of kernel"
        )
    kernel = Segment(span=Span(base, room), virtual=base, data=contents, rights=Rights.ALL)
    at = align_up(kernel.span.end, PAGE)
    parameters = Segment(span=Span(at, PAGE), virtual=at, data=_parameters(header), rights=Rights.ALL)
    return Image(
        protocol=Protocol.LINUX,
        entry=base + LINUX_ENTRY_64,
        segments=(kernel, parameters),
        relocation=_relocation(header, base),
        parameters=at,
        low=LOW,
        raw=data,
    )


def _parameters(header: np.void) -> memoryview:
    """Return boot_params with the setup header in its place; the firmware fills in the rest."""
    parameters = np.zeros(1, BOOT_PARAMS)
    parameters["header"] = header
    return memoryview(parameters.tobytes())


def _relocation(header: np.void, base: int) -> Relocation | None:
    """Return where else it runs; below the preferred address it would only move itself up to it."""
    align = int(header["kernel_alignment"])
    if not header["relocatable_kernel"]:
        return None
    if align < PAGE or align & (align - 1):
        raise ImageError(f"its setup header wants to be aligned to {align:#x}")
    return Relocation(align=align, minimum=base, maximum=RELOCATE_LIMIT)
