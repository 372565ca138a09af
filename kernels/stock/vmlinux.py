"""Take the ELF image out of a bzImage: `python -m kernels.stock.vmlinux BZIMAGE VMLINUX`.

It is what the bzImage's own code would unpack, and has a PVH entry. Debian packs its kernels by LZ4, newer
ones by Zstandard. (Linux, Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length.)
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import lz4.block
import zstandard

_SECTOR = 512
_SETUP_SECTORS, _PAYLOAD = 0x1F1, 0x248
_LZ4_BLOCK = 8 << 20
"""Size that a block of LZ4's legacy format has, unpacked (lz4_Frame_format.md); the last one is shorter."""
_SIZE = 4
"""Bytes behind the packed image that say how large it is unpacked."""


class UnpackError(Exception):
    """Why a file has no image to take out."""


def _lz4_blocks(packed: bytes) -> Iterator[bytes]:
    at = 4
    while at < len(packed) - _SIZE:
        (size,) = struct.unpack_from("<I", packed, at)
        yield lz4.block.decompress(packed[at + 4 : at + 4 + size], uncompressed_size=_LZ4_BLOCK)
        at += 4 + size


def _unlz4(packed: bytes) -> bytes:
    return b"".join(_lz4_blocks(packed))


def _unzstd(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(packed)


UNPACK = {b"\x02\x21\x4c\x18": _unlz4, b"\x28\xb5\x2f\xfd": _unzstd}
"""By the first bytes of what is packed."""


def vmlinux(image: bytes) -> bytes:
    """Return the ELF image that is in a bzImage; UnpackError where none is that can be taken out."""
    start = ((image[_SETUP_SECTORS] or 4) + 1) * _SECTOR
    offset, size = struct.unpack_from("<II", image, _PAYLOAD)
    packed = image[start + offset :][:size]
    if unpack := UNPACK.get(packed[:4]):
        return unpack(packed)
    raise UnpackError(f"packed in a way unknown here: it begins with {packed[:4].hex()}")


def main(image: Path, to: Path) -> None:
    """Write the ELF image."""
    to.write_bytes(vmlinux(image.read_bytes()))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except UnpackError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
