from mksim.boot.formats import parse_image
from mksim.boot.symbols import read_symbols
from mksim.debug.disassembly import Extent, bytes_at, disassemble, extent_of, linked_entry
from tests import images
from tests.boot.test_symbols import FUNC, GLOBAL, with_symbols

IMAGE = parse_image(images.pvh(base=0x1000000))
SYMBOLS = read_symbols(memoryview(with_symbols([
    ("start", FUNC | GLOBAL, 1, 0x1000000, 1), ("loop", FUNC | GLOBAL, 1, 0x1000001, 0),
    ("end", GLOBAL, 1, 0x1000004, 0)])))  # fmt: skip


def test_code_is_shown_with_the_names_of_functions_and_targets():
    assert list(disassemble(IMAGE, SYMBOLS, Extent(0x1000000, 64))) == [
        "start:",
        "     1000000  fa                                cli",
        "loop:",
        "     1000001  f4                                hlt",
        "     1000002  eb fd                             jmp 0x1000001  <loop>",
    ]


def test_a_function_ends_where_its_size_says_or_the_next_begins():
    start, loop = SYMBOLS.find("start"), SYMBOLS.find("loop")
    assert extent_of(SYMBOLS, start, 64, None) == Extent(0x1000000, 64, size=1)
    assert extent_of(SYMBOLS, loop, 64, 7) == Extent(0x1000001, 64, size=3, count=7)


def test_what_is_no_code_is_shown_as_bytes():
    image = parse_image(images.elf([images.load(0x1000000, b"\x06\xf4"), images.note(18, b"\0\0\0\1")]))
    lines = list(disassemble(image, SYMBOLS, Extent(0x1000000, 64)))
    assert [line.split()[-2:] for line in lines if ":" not in line] == [[".byte", "0x06"], ["f4", "hlt"]]


def test_the_end_of_the_code_is_an_end():
    assert list(disassemble(IMAGE, SYMBOLS, Extent(0x1000004, 64))) == []
    assert bytes_at(IMAGE, 0x1000002, 100) == b"\xeb\xfd"
    assert bytes_at(IMAGE, 0xFFFFFF, None) == b""


def test_the_entry_is_shown_as_linked():
    moved = parse_image(images.elf([
        images.load(0x1000000, virtual=0xFFFFFFFF81000000), images.note(18, b"\1\0\0\1")]))  # fmt: skip
    assert linked_entry(moved) == 0xFFFFFFFF81000001
