"""PCI configuration from the guest's side: mechanism 1, and functions that are bytes with rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import pci_config as pci
from mksim.hw import pci_functions
from mksim.hw.pci_config import FUNCTION, PCI

LAW = settings(deadline=None, derandomize=True)  # the first call may compile


@pytest.fixture
def host():
    record = np.zeros(1, PCI)[0]
    pci.reset(record)
    return record


@pytest.fixture
def functions():
    return board()


def board():
    """The host bridge, and at 00:03.1 a function with a base address of 64 KiB."""
    made = np.zeros(2, FUNCTION)
    pci_functions.host_bridge(made[0], 0, 0)
    made[1]["place"] = 3 << 3 | 1
    made[1]["config"][:4] = [0x34, 0x12, 0x78, 0x56]
    made[1]["writable"][0x12:0x14] = 0xFF
    return made


def at(device=0, function=0, register=0, bus=0):
    return 1 << 31 | bus << 16 | device << 11 | function << 8 | register


def read(host, functions, address, lane=0, size=4):
    pci.write_address(host, address)
    return int(pci.read_data(host, functions, lane, size))


def test_linux_finds_mechanism_1(host, functions):
    """pci_check_type1() and pci_sanity_check() in arch/x86/pci/direct.c."""
    pci.write_address(host, 0x80000000)
    assert pci.read_address(host) == 0x80000000
    assert read(host, functions, at(register=0x08), 2, 2) == 0x0600


def test_the_address_keeps_what_it_has_bits_for(host):
    pci.write_address(host, 0xFFFFFFFF)
    assert pci.read_address(host) == 0x80FFFFFC


def test_the_host_bridge_has_a_header_and_no_base_addresses(host, functions):
    assert read(host, functions, at()) == 0x00081B36
    assert read(host, functions, at(register=0x0E & ~3), 2, 1) == 0
    for register in range(0x10, 0x28, 4):
        pci.write_address(host, at(register=register))
        pci.write_data(host, functions, 0, 4, 0xFFFFFFFF)
        assert read(host, functions, at(register=register)) == 0


@pytest.mark.parametrize("address", [at(device=1), at(function=1), at(bus=1), at(3, 0), 0, 0x1800])
def test_nobody_and_a_disabled_address_read_as_ones(host, functions, address):
    assert read(host, functions, address) == 0xFFFFFFFF
    assert read(host, functions, address, 1, 2) == 0xFFFF
    pci.write_data(host, functions, 0, 4, 0)


def test_bytes_and_words_are_lanes_of_the_register(host, functions):
    assert read(host, functions, at(3, 1), 1, 1) == 0x12
    assert read(host, functions, at(3, 1), 2, 2) == 0x5678


def test_a_base_address_is_sized_by_writing_ones(host, functions):
    pci.write_address(host, at(3, 1, 0x10))
    pci.write_data(host, functions, 0, 4, 0xFFFFFFFF)
    assert read(host, functions, at(3, 1, 0x10)) == 0xFFFF0000
    pci.write_data(host, functions, 3, 1, 0xE0)
    assert read(host, functions, at(3, 1, 0x10)) == 0xE0FF0000


def test_errors_are_cleared_by_writing_ones(functions):
    functions[0]["config"][7] = 0xF9
    pci.write(functions, 0, 6, 2, 0x3000)
    assert pci.read(functions, 0, 6, 2) == 0xC900


def test_ids_cannot_be_written(functions):
    before = functions[0]["config"].copy()
    for register in range(0, 0x40, 4):
        pci.write(functions, 0, register, 4, 0xFFFFFEFF)
    assert (functions[0]["config"] == before).all()


@LAW
@given(st.lists(st.tuples(st.integers(0, 31), st.integers(0, 0x3FF), st.integers(-1, 1 << 33)), max_size=30))
def test_writes_change_only_what_is_writable(writes):
    functions = board()
    before = functions.copy()
    for place, dword, value in writes:
        pci.write(functions, place, dword * 4, 4, value)
    changed = functions["config"] ^ before["config"]
    assert not (changed & ~before["writable"]).any()
