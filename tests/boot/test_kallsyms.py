"""Linux's symbols out of memory: tables made here, in both orders, and those of kernels that run."""

import random

import numpy as np
import pytest

import mksim
from mksim.boot.kallsyms import read_kallsyms
from mksim.boot.symbols import EMPTY
from tests.conftest import GUESTS, needs_guest

BASE = 0xFFFF_FFFF_8100_0000
COUNT = 5000


def aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def number(value: int, size: int) -> bytes:
    return aligned(value.to_bytes(size, "little"))


def tables(names: list[str], offsets: list[int], *, new: bool, order_of_names: bool) -> bytes:
    """Pack symbols as scripts/kallsyms.c does, with tokens that all stand for one letter but two."""
    tokens = [bytes([letter]) if 0x21 <= letter < 0x7F else b"!%d" % letter for letter in range(256)]
    tokens[1], tokens[2] = b"Tfunction_", b"tvariable_"
    packed, markers = b"", []
    for place, name in enumerate(names):
        if place % 256 == 0:
            markers.append(len(packed))
        short = name.encode().replace(tokens[1], b"\1").replace(tokens[2], b"\2")
        length = (
            bytes([len(short)]) if len(short) < 0x80 else bytes([len(short) & 0x7F | 0x80, len(short) >> 7])
        )
        packed += length + short
    table = b"".join(token + b"\0" for token in tokens)
    index = np.cumsum([0, *(len(token) + 1 for token in tokens[:-1])]).astype("<u2").tobytes()
    head = number(len(names), 4) + aligned(packed) + aligned(np.array(markers, "<u4").tobytes())
    head += aligned(bytes(3 * len(names))) if order_of_names and not new else b""
    place = aligned(np.array(offsets, "<i4").tobytes()) + number(BASE, 8)
    tail = aligned(table) + aligned(index)
    return head + tail + place if new else place + head + tail


def named() -> tuple[list[str], list[int]]:
    names = [
        f"{'Tfunction_' if place % 3 else 'tvariable_'}{place}{'x' * (place % 140)}" for place in range(COUNT)
    ]
    return names, [place * 16 for place in range(COUNT)]


@pytest.mark.parametrize(("new", "order_of_names"), [(False, False), (False, True), (True, True)])
def test_every_symbol_is_found_in_either_order(new: bool, order_of_names: bool) -> None:
    names, offsets = named()
    data = random.Random(1).randbytes(4096) + tables(names, offsets, new=new, order_of_names=order_of_names)
    symbols = read_kallsyms(memoryview(data + bytes(4096)))
    assert [symbols.name(index) for index in range(len(symbols))] == [name[1:] for name in names]
    assert symbols.addresses.tolist() == [BASE + offset for offset in offsets]
    assert str(symbols.at(BASE + 17)) == f"{names[1][1:]}+0x1"


def test_offsets_below_zero_are_from_the_base_and_others_are_per_processor() -> None:
    names, offsets = named()
    offsets = [0x1000, *(-1 - offset for offset in offsets[1:])]
    data = tables(names, offsets, new=False, order_of_names=False)
    symbols = read_kallsyms(memoryview(data))
    assert len(symbols) == COUNT - 1
    assert symbols.addresses[0] == BASE + 16


@pytest.mark.parametrize("seed", range(20))
def test_damaged_tables_are_tables_or_none(seed: int) -> None:
    names, offsets = named()
    dice = random.Random(seed)
    data = bytearray(tables(names, offsets, new=bool(seed % 2), order_of_names=True))
    for _ in range(dice.choice([1, 100, 10_000])):
        data[dice.randrange(len(data))] = dice.randrange(256)
    read_kallsyms(memoryview(data[: dice.randrange(len(data) // 2, len(data))]))


def test_what_only_looks_like_tables_takes_no_time() -> None:
    digits = b"".join(b"%d\0" % digit for digit in range(10))
    assert read_kallsyms(memoryview(digits * 100_000)) is EMPTY
    assert read_kallsyms(memoryview(b"")) is EMPTY


@pytest.mark.slow
@pytest.mark.parametrize("image", ["vmlinuz", "vmlinuz-newest"])
@needs_guest("vmlinuz", "vmlinuz-newest", "initramfs.cpio.gz")
def test_a_stock_linux_tells_where_it_is(image: str) -> None:
    linux = {
        "image": image, "modules": ["initramfs.cpio.gz"], "memory": "160M", "cmdline": "console=ttyS0 cpus=1",
        "cores": 1,
    }  # fmt: skip
    machine = mksim.Machine({"kernel": {"linux": linux}}, folder=GUESTS)
    machine.expect("Freeing unused kernel", within="10s")
    symbols = machine.symbols("linux")
    assert len(symbols) > 50_000
    assert machine.read(0, machine.symbol("linux", "linux_banner"), 14) == b"Linux version "
    assert machine.symbol("linux", "_text") >= 0xFFFF_FFFF_8000_0000
