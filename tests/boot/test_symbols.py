import struct
from io import BytesIO

import pytest
from elftools.elf.elffile import ELFFile

from mksim.boot.symbols import Place, read_symbols
from tests import images

FUNC, OBJECT, SECTION, LOCAL, GLOBAL = 2, 1, 3, 0, 16


def with_symbols(symbols: list[tuple[str, int, int, int, int]]) -> bytes:
    """Return an ELF file with (name, info, shndx, value, size) as its symbols."""
    names, table = b"\0", bytes(24)
    for name, info, shndx, value, size in symbols:
        table += struct.pack("<IBBHQQ", len(names), info, 0, shndx, value, size)
        names += name.encode() + b"\0"
    plain = images.pvh()
    symtab, strtab = len(plain), len(plain) + len(table)
    headers = bytes(64)
    headers += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, symtab, len(table), 2, 1, 8, 24)
    headers += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, strtab, len(names), 0, 0, 1, 0)
    shoff = struct.pack("<Q", strtab + len(names))
    plain = plain[:40] + shoff + plain[48:58] + struct.pack("<HHH", 64, 3, 0) + plain[64:]
    return plain + table + names + headers


MAIN = ("main", FUNC | GLOBAL, 1, 0x1000, 0x20)
LABEL = ("label", LOCAL, 1, 0x1040, 0)
DATA = ("data", OBJECT | GLOBAL, 2, 0x2000, 8)
SYMBOLS = read_symbols(memoryview(with_symbols([DATA, LABEL, MAIN])))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (0xFFF, None),
        (0x1000, Place("main", 0)),
        (0x101F, Place("main", 0x1F)),
        (0x1020, None),
        (0x1050, Place("label", 0x10)),
        (0x2007, Place("data", 7)),
        (0x2008, None),
        ((1 << 64) - 1, None),
    ],
)
def test_an_address_belongs_to_the_symbol_that_reaches_it(address, place):
    assert SYMBOLS.at(address) == place


def test_a_place_reads_as_people_write_it():
    assert str(Place("main", 0)) == "main"
    assert str(Place("main", 0x1F)) == "main+0x1f"


def test_a_symbol_is_found_by_its_name():
    index = SYMBOLS.find("main")
    assert index is not None
    assert SYMBOLS.addresses[index] == 0x1000
    assert SYMBOLS.find("mian") is None


def test_of_several_names_for_an_address_a_function_that_others_may_call_is_told():
    local = ("inner", FUNC, 1, 0x1000, 0x20)
    mark = ("mark", LOCAL, 1, 0x1000, 0)
    symbols = read_symbols(memoryview(with_symbols([MAIN, local, mark])))
    assert symbols.at(0x1000) == Place("main", 0)


def test_what_names_no_place_is_left_out():
    undefined = ("extern", FUNC | GLOBAL, 0, 0, 0)
    absolute = ("SIZE", GLOBAL, 0xFFF1, 0x30, 0)
    section = (".text", SECTION, 1, 0x1000, 0)
    assert len(read_symbols(memoryview(with_symbols([undefined, absolute, section])))) == 0


def test_an_independent_reader_sees_the_same_symbols():
    data = with_symbols([DATA, LABEL, MAIN])
    table = next(s for s in ELFFile(BytesIO(data)).iter_sections() if s["sh_type"] == "SHT_SYMTAB")
    theirs = {(symbol.name, symbol["st_value"]) for symbol in table.iter_symbols() if symbol.name}
    assert {(SYMBOLS.name(i), int(SYMBOLS.addresses[i])) for i in range(len(SYMBOLS))} == theirs


@pytest.mark.parametrize("data", [b"", b"\x7fELF", images.pvh(), with_symbols([MAIN])[:-100]])
def test_no_symbols_or_broken_ones_are_none(data):
    assert len(read_symbols(memoryview(data))) == 0
