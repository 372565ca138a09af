"""The firmware's tables for the IOMMU, as the unit reads them: memory to itself, as far as rights go."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.boot import remapping
from mksim.hw import vtd, vtd_interrupts, vtd_walk
from mksim.hw.vtd import VTD
from mksim.machine.remapping import Iommu, units
from mksim.spec.memmap import PAGE
from mksim.spec.span import Span

PAGES = 2048  # 8 MiB of memory, and the tables above it
BASE = PAGES * PAGE
APIC_IDS = (4, 9, 2)
SPANS = st.lists(st.tuples(st.integers(0, PAGES - 1), st.integers(1, 1500), st.integers(0, 7)), max_size=6)


class Kernel:
    name, cores = "a", (0, 1, 2)

    def __init__(self, count):
        self.owned = (Span(0, PAGE),) * count


def started(rights, apic_ids, spans):
    """Return a unit that the firmware has started, memory, and where reading is allowed."""
    [unit] = units(Iommu(), [Kernel(spans)], {"a": 0}, 0, BASE)
    words = remapping.tables(BASE, rights, apic_ids, unit.interrupt_pages)
    assert words.nbytes <= unit.tables.size
    memory = np.zeros(BASE // 8 + len(words), np.uint64)
    memory[BASE // 8 :] = words
    chip = np.zeros(1, VTD)[0]
    chip["remapping"] = 1
    vtd.reset(chip)
    vtd.write(chip, 0x20, BASE)
    vtd.write(chip, 0xB8, remapping.table_address(BASE, apic_ids, unit.interrupt_pages))
    for command in (1 << 30, 1 << 24, 1 << 31 | 1 << 25):
        vtd.write(chip, 0x18, command)
    return chip, memory, np.full(len(memory) // 512 + 1, 1, np.uint8)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(SPANS, st.lists(st.integers(0, PAGES - 1), min_size=20, max_size=40))
def test_a_device_reaches_what_its_kernel_may_and_nothing_else(spans, pages):
    rights = np.zeros(PAGES, np.uint8)
    for first, count, granted in spans:
        rights[first : first + count] = granted
    chip, memory, readable = started(rights, APIC_IDS, len(spans))
    ends = [end for first, count, _ in spans for end in (first, first + count)]
    edges = [page for end in ends for page in (end - 1, end) if 0 <= page < PAGES]
    for page in pages + edges:
        for write in (False, True):
            where = vtd_walk.translate(chip, memory, readable, 0x08, page * PAGE + 8, write)
            assert where == (page * PAGE + 8 if rights[page] & (2 if write else 1) else -1)


def test_interrupts_reach_the_kernels_own_cores_alone():
    chip, memory, readable = started(np.zeros(PAGES, np.uint8), APIC_IDS, 1)

    def sent(index):
        address = 0xFEE00000 | index << 5 | 1 << 4
        return vtd_interrupts.remap_message(chip, memory, readable, 0x08, address, 0)

    assert [sent(core << 8 | 0x55) for core in range(3)] == [apic << 16 | 0x55 for apic in APIC_IDS]
    assert [sent(index) for index in (0, 15, 3 << 8 | 0x55, 1 << 10)] == [-1] * 4
    wide, memory, readable = started(np.zeros(PAGES, np.uint8), (300,), 1)
    assert vtd_interrupts.remap_message(wide, memory, readable, 8, 0xFEE00000 | 0x55 << 5 | 1 << 4, 0) == (
        300 << 16 | 0x55
    )
