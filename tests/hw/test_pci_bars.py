"""Base addresses, moved by whoever likes: the address map never has two answers."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import pci_bars, pci_config, pci_functions
from mksim.hw.pci_config import BLOCK, FUNCTION
from mksim.spec.memmap import PCI_MEMORY, PCI_MEMORY_END

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
MIB = 1 << 20


def board():
    """Two functions of 1 MiB each, and one with a base address of 64 bits and one of 4 KiB."""
    made = np.zeros(3, FUNCTION)
    for index in range(2):
        pci_functions.edu(made[index], index + 1 << 3, index, index, PCI_MEMORY + index * MIB)
    pci_functions.clear(made[2], 3 << 3, 0, 9, 0)
    pci_functions.endpoint(made[2])
    pci_functions.base_address(made[2], 2, 4 * MIB, PCI_MEMORY + 4 * MIB, wide=True)
    pci_functions.base_address(made[2], 4, 4096, PCI_MEMORY + 2 * MIB)
    for index in range(3):
        assert pci_bars.remap(made, index) == pci_bars.FITS
    return made


def spans(functions):
    return [
        range(base, base + size)
        for f in functions
        for base, size in zip(f["bar_base"].tolist(), f["bar_size"].tolist(), strict=True)
        if base >= 0
    ]


def move(functions, index, register, value):
    pci_config.write(functions, int(functions[index]["place"]), register, 4, value)
    return pci_bars.remap(functions, index)


def test_a_base_address_moves_while_it_is_mapped():
    functions = board()
    assert move(functions, 0, 0x10, PCI_MEMORY + 8 * MIB) == pci_bars.FITS
    assert pci_bars.answering(functions, PCI_MEMORY) == -1
    assert pci_bars.answering(functions, PCI_MEMORY + 9 * MIB - 1) == 0


def test_what_is_in_the_way_stays_and_so_does_what_was_refused():
    functions = board()
    assert move(functions, 0, 0x10, PCI_MEMORY + MIB) == 1
    assert pci_bars.answering(functions, PCI_MEMORY + MIB) == 6
    assert pci_bars.answering(functions, PCI_MEMORY) == 0


def test_sizing_refuses_but_changes_nothing_for_the_map():
    functions = board()
    assert move(functions, 0, 0x10, 0xFFFFFFFF) == pci_bars.OUTSIDE
    assert pci_config.read(functions, 8, 0x10, 4) == 0xFFF00000
    assert pci_bars.answering(functions, PCI_MEMORY) == 0


def test_memory_that_is_switched_off_answers_nowhere():
    functions = board()
    move(functions, 0, 4, 0)
    assert pci_bars.answering(functions, PCI_MEMORY) == -1
    move(functions, 0, 4, 2)
    assert pci_bars.answering(functions, PCI_MEMORY) == 0


def test_64_bits_are_two_registers():
    functions = board()
    assert move(functions, 2, 0x1C, 1) == pci_bars.OUTSIDE
    assert pci_bars.answering(functions, PCI_MEMORY + 4 * MIB) == 14
    assert move(functions, 2, 0x1C, 0) == pci_bars.FITS


places = st.integers(-2 * MIB, PCI_MEMORY_END - PCI_MEMORY + 2 * MIB).map(lambda at: PCI_MEMORY + at)
values = st.one_of(
    places.map(lambda at: at & -MIB), st.sampled_from([PCI_MEMORY + n * MIB for n in range(9)]),
    st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1, 2, 6, 0xFFFFFFFF]),
)  # fmt: skip
writes = st.tuples(st.integers(0, 2), st.sampled_from([4, *range(0x10, 0x28, 4)]), values)


@given(st.lists(writes, max_size=40))
@LAW
def test_no_address_has_two_answers_and_none_is_outside(moves):
    functions = board()
    for index, register, value in moves:
        before = functions["bar_base"].copy()
        move(functions, index, register, value)
        others = np.arange(3) != index
        assert (functions["bar_base"][others] == before[others]).all()
        found = sorted(spans(functions), key=lambda span: span.start)
        assert all(one.stop <= other.start for one, other in pairwise(found))
        assert all(span.start >= PCI_MEMORY and span.stop <= PCI_MEMORY_END for span in found)
        for span in found:
            answer = pci_bars.answering(functions, span.start)
            assert functions[answer // 6]["bar_base"][answer % 6] == span.start


def test_a_function_that_is_reset_alone_forgets_where_it_was():
    functions = np.zeros(1, FUNCTION)
    pci_functions.virtio_device(functions[0], 8, 0, 0, PCI_MEMORY, BLOCK, 1)
    pci_bars.remap(functions, 0)
    before = functions[0]["config"].copy()
    assert not pci_config.take_reset(functions[0])
    pci_config.write(functions, 8, 0xA4 + 8, 2, 0x8000)
    assert pci_config.take_reset(functions[0])
    assert not pci_config.take_reset(functions[0])
    pci_bars.remap(functions, 0)
    assert spans(functions) == []
    changed = np.flatnonzero(functions[0]["config"] != before)
    assert all(at == 4 or 0x10 <= at < 0x28 for at in changed)
