"""Whatever the bytes: an image or an ImageError, a layout or a ConfigError, never anything else."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.boot.formats import parse_image
from mksim.boot.image import Image
from mksim.boot.symbols import read_symbols
from mksim.errors import ConfigError, ImageError, Problem
from mksim.machine import schema
from mksim.machine.config import Layout
from mksim.machine.document import parse_document
from mksim.machine.reading import make_layout, read_layout
from tests import images
from tests.boot.test_symbols import MAIN, with_symbols

SEEDS = [
    images.movable(),
    images.pvh(),
    images.elf([images.load(0x100000), images.load(0x200000), images.note(18, struct.pack("<I", 0x100000))]),
    images.multiboot_elf(bits=32),
    images.multiboot_elf(bits=64),
    images.multiboot_flat(),
    images.bzimage(),
    with_symbols([MAIN]),
]
EDGES = [0, 1, 4, 0xFF, 0x7F, 0x80]
WORDS = [0, 1, 0xFFF, 0x1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFF000, (1 << 64) - 1]


@st.composite
def mutated(draw) -> bytes:
    """Return a good image after some accidents: bytes and words replaced, parts cut out or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        accident = draw(st.sampled_from(["byte", "half", "word", "long", "cut", "insert"]))
        if accident == "byte":
            data[at : at + 1] = bytes([draw(st.sampled_from(EDGES) | st.integers(0, 255))])
        elif accident == "cut":
            del data[at : at + draw(st.integers(1, 64))]
        elif accident == "insert":
            data[at:at] = draw(st.binary(max_size=16))
        else:
            size = {"half": 2, "word": 4, "long": 8}[accident]
            at &= ~(size - 1)
            word = draw(st.sampled_from(WORDS)) % (1 << 8 * size)
            data[at : at + size] = word.to_bytes(size, "little")
    return bytes(data)


def judge(data: bytes) -> Image | None:
    """Parse bytes; an image that comes of them keeps all that images promise."""
    try:
        image = parse_image(data)
    except ImageError:
        return None
    bases = [segment.span.base for segment in image.segments]
    assert bases == sorted(bases)
    for one, other in zip(image.segments, image.segments[1:], strict=False):
        assert one.span.end <= other.span.base
    assert image.span.end <= 1 << 32
    assert any(image.entry in segment.span for segment in image.segments)
    assert all(len(segment.data) <= min(segment.span.size, len(data)) for segment in image.segments)
    return image


@given(st.binary(max_size=400))
def test_any_bytes_are_an_image_or_an_image_error(data):
    judge(data)
    judge(b"\x7fELF\2\1\1" + data)
    judge(images.multiboot_header(1 << 16) + data)


@given(mutated())
@settings(max_examples=400)
def test_a_damaged_image_is_an_image_or_an_image_error(data):
    judge(data)


@given(mutated() | st.binary(max_size=200), st.integers(0, (1 << 64) - 1))
def test_damaged_symbols_are_symbols_or_none(data, address):
    symbols = read_symbols(memoryview(data))
    symbols.at(address)
    assert len(symbols.indices) <= len(symbols)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, (1 << 64) - 1))
def test_header_counts_may_lie(phentsize, phnum, phoff):
    data = images.movable()
    counts = struct.pack("<HH", phentsize, phnum)
    judge(data[:32] + struct.pack("<Q", phoff) + data[40:54] + counts + data[58:])
    judge(data[:54] + struct.pack("<HH", 56, phnum) + data[58:])


words = st.sampled_from(WORDS) | st.integers(0, 1 << 32)


@given(st.integers(0, 0xFFFFFFFF), st.lists(words, min_size=5, max_size=5))
def test_multiboot_addresses_may_lie(flags, addresses):
    header = images.multiboot_header(flags | 1 << 16, *(address & 0xFFFFFFFF for address in addresses))
    judge(header + images.CODE)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_toml_or_a_value_error(data):
    with suppress(ValueError):
        assert isinstance(parse_document(data), dict)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    (folder / "movable.elf").write_bytes(images.movable())
    (folder / "fixed.elf").write_bytes(images.pvh())
    (folder / "bzImage").write_bytes(images.bzimage())
    return folder / "config.toml"


@given(data=st.binary(max_size=200))
@settings(deadline=None)
def test_any_file_is_no_config_or_one(config, data):
    config.write_bytes(data)
    with pytest.raises(ConfigError):  # no draw this short has a kernel
        read_layout(config)


# Words of the vocabulary, so that draws get far, and whatever else TOML can hold.
FILES = ["movable.elf", "fixed.elf", "bzImage", ".", "\0"]
SIZES = ["64M", "2M", "4K", "0x1000000-0x1ffffff", "0-0", "-", "1us", "1s", "1G"]
WIRE_ENDS = ["a:com1", "b:com2", "a:com5", "c:com1", "a", "a:", ""]
NAMES = ["a", "b", "*", "rw", "nmi", "com1", "auto", "none", "exit 0", "any", "trust", ""]
numbers = st.integers(-2, 70) | st.integers(-(1 << 80), 1 << 80)
words_of_configs = st.sampled_from([*FILES, *SIZES, *NAMES])
scalars = words_of_configs | numbers | st.booleans() | st.text(max_size=5) | st.floats()
keys = st.text(max_size=3) | st.sampled_from("ab*")
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


def tables(rules: dict[str, schema.Key]) -> st.SearchStrategy[object]:
    """Return tables of some of the keys of a schema, with sensible and other values."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(rules, anything) | {"kee": scalars}) | scalars


good_kernel = {"image": "movable.elf", "memory": "2M"}
names = st.sampled_from(["a", "b", "c", "a b", ""])
kernel_tables = st.dictionaries(names, tables(schema.KERNEL), max_size=3)
one_wild_key = st.dictionaries(st.sampled_from(list(schema.KERNEL)), anything, max_size=1)
good_tables = one_wild_key.map(lambda table: good_kernel | table)
good_wires = st.fixed_dictionaries({"between": st.lists(st.sampled_from(WIRE_ENDS), max_size=3)})
good_devices = st.fixed_dictionaries(
    {"name": st.sampled_from("ab"), "kind": st.sampled_from(["edu", "disk"]), "owner": st.sampled_from("ab")},
    optional=dict.fromkeys(["slot", "file", "writes"], anything),
)
good_kernels = st.dictionaries(st.sampled_from("abc"), good_tables, min_size=1)
documents = st.fixed_dictionaries(
    {},
    optional={
        "machine": tables(schema.MACHINE),
        "kernel": kernel_tables | good_kernels | scalars,
        "window": st.lists(tables(schema.WINDOW), max_size=3) | scalars,
        "doorbell": st.lists(tables(schema.DOORBELL), max_size=3) | scalars,
        "wire": st.lists(tables(schema.WIRE) | good_wires, max_size=3) | scalars,
        "device": st.lists(tables(schema.DEVICE) | good_devices, max_size=3) | scalars,
        "expect": tables(schema.EXPECT),
        "kernle": scalars,
    },
)


@given(document=documents)
@settings(max_examples=300, deadline=None)
def test_any_document_is_a_layout_or_a_config_error(config, document):
    problems = outcome(document, config)
    assert all(problem.text and len(problem.text) < 500 for problem in problems)


def outcome(document, config) -> tuple[Problem, ...]:
    try:
        assert isinstance(make_layout(document, config), Layout)
    except ConfigError as error:
        return error.problems
    return ()
