import struct

import lz4.block
import pytest
import zstandard

from kernels.stock.vmlinux import UnpackError, vmlinux

ELF = b"\x7fELF" + bytes(range(256)) * 40_000  # more than a block of LZ4's


def bzimage(packed: bytes) -> bytes:
    """Return a header of two setup sectors, and behind them what is packed, 32 bytes into the rest."""
    head = bytearray(3 * 512 + 32)
    head[0x1F1] = 2
    struct.pack_into("<II", head, 0x248, 32, len(packed))
    return bytes(head) + packed + b"signature"


def lz4_legacy(data: bytes) -> bytes:
    blocks = (data[at : at + (8 << 20)] for at in range(0, len(data), 8 << 20))
    packed = (lz4.block.compress(block, store_size=False) for block in blocks)
    return b"\x02\x21\x4c\x18" + b"".join(struct.pack("<I", len(block)) + block for block in packed)


@pytest.mark.parametrize("pack", [lz4_legacy, zstandard.ZstdCompressor().compress])
def test_the_image_comes_out_as_it_went_in(pack) -> None:
    assert vmlinux(bzimage(pack(ELF) + struct.pack("<I", len(ELF)))) == ELF


def test_what_is_packed_otherwise_is_told() -> None:
    with pytest.raises(UnpackError, match="begins with fd377a58"):
        vmlinux(bzimage(b"\xfd7zXZ\0"))
