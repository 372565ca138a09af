"""From a file to an image: each format is asked in turn whether the file is its own."""

from collections.abc import Callable
from pathlib import Path

from mksim.boot import elf, linux, multiboot, pvh
from mksim.boot.files import read_bounded
from mksim.boot.image import Image
from mksim.errors import ImageError

IMAGE_LIMIT = 1 << 30
"""Bytes of an image file; a Linux kernel with all its debug information stays below."""

FORMATS: tuple[Callable[[memoryview], Image | None], ...] = (
    pvh.recognise,  # before multiboot: a kernel that offers both is more at home here
    multiboot.recognise,
    linux.recognise,
)


def read_image(path: Path) -> Image:
    """Return the image in a file; FileError says why there is none."""
    return parse_image(read_bounded(path, IMAGE_LIMIT))


def parse_image(data: bytes) -> Image:
    """Return the image that these bytes are; ImageError if they are none that mksim can boot."""
    view = memoryview(data)
    for recognise in FORMATS:
        if image := recognise(view):
            return image
    raise ImageError(f"no format that mksim boots: {_guess(view)}")


def _guess(data: memoryview) -> str:
    if file := elf.parse(data):
        return f"ELF{file.bits} without the PVH note of a 64-bit kernel, and without a multiboot header"
    if not len(data):
        return "an empty file"
    return "neither ELF, nor bzImage, nor a multiboot header in the first 8192 bytes"
