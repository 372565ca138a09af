"""A file of symbols alone, as others read it."""

from io import BytesIO

from elftools.elf.elffile import ELFFile

from mksim.boot.symbols import EMPTY, read_symbols
from mksim.boot.symfile import symbol_file
from tests.guest.booting import BUILT


def test_it_has_the_symbols_of_the_image_it_is_made_from():
    symbols = read_symbols(memoryview((BUILT / "pingpong/ping.elf").read_bytes()))
    again = read_symbols(memoryview(symbol_file(symbols)))
    functions = [
        (symbols.name(index), int(symbols.addresses[index]))
        for index in range(len(symbols))
        if symbols.kinds[index] == 2
    ]
    assert {(again.name(index), int(again.addresses[index])) for index in range(len(again))} == set(functions)
    assert len(functions) > 20


def test_others_find_what_it_says():
    symbols = read_symbols(memoryview((BUILT / "pingpong/ping.elf").read_bytes()))
    file = ELFFile(BytesIO(symbol_file(symbols)))
    (main,) = file.get_section_by_name(".symtab").get_symbol_by_name("main")
    assert main["st_value"] == int(symbols.addresses[symbols.indices["main"]])
    text = file.get_section_by_name(".text")
    assert text["sh_addr"] <= main["st_value"] < text["sh_addr"] + text["sh_size"]
    assert file.get_section(main["st_shndx"]).name == ".text"


def test_no_symbols_are_a_file_too():
    file = ELFFile(BytesIO(symbol_file(EMPTY)))
    assert file.get_section_by_name(".symtab").num_symbols() == 1
