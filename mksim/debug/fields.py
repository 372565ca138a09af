"""The fields of packets: numbers, bytes and ranges in hexadecimal. GDB manual, appendix E.1."""

from mksim.debug.packets import PACKET_MAX, escape


def parse_hex(text: bytes) -> int:
    """Read a hexadecimal number of up to 64 bits; ValueError if it is none. Stricter than int()."""
    if not text or len(text) > 16 or text.strip(b"0123456789abcdefABCDEF"):
        raise ValueError(f"not a number: {text!r}")
    return int(text, 16)


def bytes_or_unknown(value: bytes | None, size: int) -> bytes:
    """Write bytes; x for each digit of what is not known."""
    return b"xx" * size if value is None else value.hex().encode()


def unhex(text: bytes) -> bytes:
    """Read bytes; ValueError if they are none."""
    return bytes.fromhex(text.decode("ascii"))


def address_and_size(data: bytes) -> tuple[int, int]:
    """Read `address,size`."""
    address, _, size = data.partition(b",")
    return parse_hex(address), parse_hex(size)


def stop_point(data: bytes) -> tuple[bytes, int, int]:
    """Read `type,address,kind`; conditions behind a semicolon are gdb's own business."""
    kind, address, size = data.partition(b";")[0].split(b",")
    return kind, parse_hex(address), parse_hex(size)


def part_of(content: bytes, span: bytes) -> bytes:
    """Return what of a content is asked for by `offset,size`, and whether that is the last of it."""
    offset, size = address_and_size(span)
    part = content[offset : offset + min(size, PACKET_MAX // 2 - 8)]
    return (b"m" if offset + len(part) < len(content) else b"l") + escape(part)
