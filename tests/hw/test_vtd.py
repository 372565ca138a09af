"""Intel VT-d: what its registers say, what is recorded, what its queue does, and which interrupts pass."""

import numpy as np
import pytest

from mksim.hw import vtd, vtd_core, vtd_interrupts, vtd_queue, vtd_walk
from mksim.hw.vtd import VTD

PAGES = 16
ROOT, CONTEXTS, TABLE, LEAVES, QUEUE, IRTES = (0x1000 * page for page in range(1, 7))
DEVICE = 0x08  # 00:01.0
GCMD, GSTS, RTADDR, FSTS, FECTL, FEDATA = 0x18, 0x1C, 0x20, 0x34, 0x38, 0x3C
IQH, IQT, IQA, ICS, IECTL, IRTA, FRCD = 0x80, 0x88, 0x90, 0x9C, 0xA0, 0xB8, 0x100
TE, SRTP, QIE, IRE, SIRTP, CFI = 1 << 31, 1 << 30, 1 << 26, 1 << 25, 1 << 24, 1 << 23
MSI = 0xFEE00000


class Board:
    """A unit with tables in memory that map page 0 to page 9, for one device in domain 1."""

    def __init__(self):
        self.unit = np.zeros(1, VTD)[0]
        self.unit["remapping"] = 1
        vtd.reset(self.unit)
        self.memory, self.readable = np.zeros(PAGES * 512, np.uint64), np.full(PAGES, 7, np.uint8)
        self.put(ROOT, CONTEXTS | 1)
        self.put(CONTEXTS + 16 * DEVICE, TABLE | 1, 1 << 8 | 1)
        self.put(TABLE, 0xB000 | 3)
        self.put(0xB000, LEAVES | 3)
        self.put(LEAVES, 0x9000 | 3, 0xA000 | 1)
        self.write64(RTADDR, ROOT)
        self.command(SRTP)

    def put(self, address, *quads):
        for number, quad in enumerate(quads):
            self.memory[(address >> 3) + number] = quad

    def read(self, offset):
        return int(vtd.read(self.unit, offset))

    def write(self, offset, value):
        vtd.write(self.unit, offset, value)

    def write64(self, offset, value):
        self.write(offset, value & 0xFFFFFFFF)
        self.write(offset + 4, value >> 32)

    def command(self, bits):
        self.write(GCMD, self.read(GSTS) & 0x96FFFFFF | bits)

    def dma(self, address, write=False, source=DEVICE):
        return int(vtd_walk.translate(self.unit, self.memory, self.readable, source, address, write))

    def message(self, address, data=0, source=DEVICE):
        return int(vtd_interrupts.remap_message(self.unit, self.memory, self.readable, source, address, data))

    def queue(self, *descriptors):
        """Have descriptors done; return what came of each."""
        self.write64(IQA, QUEUE)
        self.command(QIE)
        tail = self.read(IQT)
        for low, high in descriptors:
            self.put(QUEUE + tail, low, high)
            tail += 16
        self.write(IQT, tail)
        return [int(vtd_queue.step(self.unit, self.memory, self.readable)) for _ in descriptors]

    def remap(self, *, wide):
        self.write64(IRTA, IRTES | (1 << 11 if wide else 0) | 3)  # 16 entries
        self.command(SIRTP)
        self.command(IRE)


@pytest.fixture
def b():
    return Board()


def test_it_says_what_it_can(b):
    assert b.read(0) == 0x10
    capabilities, extended = (b.read(at) | b.read(at + 4) << 32 for at in (8, 0x10))
    assert capabilities >> 8 & 0x1F == 0b110
    assert capabilities >> 34 & 3 == 3
    assert capabilities >> 24 & 0x3FF == FRCD >> 4
    assert capabilities >> 40 & 0xFF == 7
    assert extended >> 8 & 0x3FF == 0xF0 >> 4
    assert extended & 0x5A == 0x5A
    b.unit["remapping"] = 0
    assert b.read(0x10) & 0x18 == 0


def test_nothing_is_translated_before_it_is_switched_on(b):
    assert b.dma(0x123456789) == 0x123456789
    b.command(TE)
    assert b.read(GSTS) == TE | SRTP
    assert b.dma(0x123) == 0x9123
    assert b.dma(0x1FF8) == 0xAFF8


def test_where_nothing_is_translated_an_address_that_no_memory_has_is_no_fault(b):
    for address in (-8, -(1 << 63)):  # as the walker sees 2^64 - 8 and 2^63
        assert b.dma(address) > 1 << 62
    assert b.read(FSTS) == 0
    b.command(TE)
    assert b.dma(-8) == -1


def test_a_fault_is_recorded_until_software_clears_it(b):
    b.command(TE)
    assert b.dma(0x1234, write=True) == -1
    assert b.read(FSTS) == 2
    assert [b.read(FRCD + at) for at in (0, 4, 8, 12)] == [0x1000, 0, DEVICE, 1 << 31 | 5]
    b.write(FRCD + 12, 1 << 31)
    assert b.read(FSTS) == 0
    assert b.read(FRCD + 12) == 5
    assert b.dma(0x2000) == -1
    assert b.read(FSTS) == 2 | 1 << 8
    assert b.read(FRCD + 16 + 12) == 1 << 31 | 1 << 30 | 6


def test_faults_without_a_register_overflow(b):
    b.command(TE)
    for _ in range(8):
        b.dma(0x2000)
    assert b.read(FSTS) & 1 == 0
    b.dma(0x2000)
    assert b.read(FSTS) & 1 == 1
    b.write(FSTS, 1)
    assert b.read(FSTS) & 3 == 2


def test_only_the_first_fault_is_an_event_and_it_waits_for_the_mask(b):
    b.command(TE)
    b.write(FEDATA, 0x41)
    b.write64(0x40, MSI | 3 << 12)
    b.dma(0x2000)
    assert vtd_core.take_event(b.unit) == 0
    assert b.read(FECTL) == 3 << 30
    b.write(FECTL, 0)
    assert vtd_core.take_event(b.unit) == vtd_core.FAULT
    assert b.read(FECTL) == 0
    assert vtd_core.event_data(b.unit, vtd_core.FAULT) == 0x41
    assert vtd_core.event_address(b.unit, vtd_core.FAULT) == MSI | 3 << 12
    b.dma(0x2000)
    assert vtd_core.take_event(b.unit) == 0


def test_silence_is_kept_where_the_context_asks_for_it(b):
    b.put(CONTEXTS + 16 * DEVICE, TABLE | 3)
    b.command(TE)
    assert b.dma(0x2000) == -1
    assert b.read(FSTS) == 0
    assert b.unit["reason"] == 6


def test_what_is_remembered_is_used_until_it_is_invalidated(b):
    b.command(TE)
    assert b.dma(0) == 0x9000
    b.put(LEAVES, 0)
    b.put(CONTEXTS + 16 * DEVICE, 0)
    assert b.dma(8) == 0x9008
    b.write64(0xF0, 0)
    b.write64(0xF8, 1 << 63 | 3 << 60 | 2 << 32)  # another domain's
    assert b.dma(8) == 0x9008
    b.write64(0xF8, 1 << 63 | 3 << 60 | 1 << 32)
    assert b.dma(8) == -1
    assert b.unit["reason"] == 6
    b.write64(0x28, 1 << 63 | 1 << 61)
    assert b.dma(8) == -1
    assert b.unit["reason"] == 2


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda b: b.put(ROOT, 0), 1),
        (lambda b: b.put(ROOT, CONTEXTS | 3), 0xA),
        (lambda b: b.put(ROOT, 0x100000000 | 1), 9),
        (lambda b: b.put(CONTEXTS + 16 * DEVICE, 0), 2),
        (lambda b: b.put(CONTEXTS + 16 * DEVICE + 8, 1 << 8 | 4), 3),
        (lambda b: b.put(CONTEXTS + 16 * DEVICE + 8, 1 << 24 | 1), 0xB),
        (lambda b: b.put(TABLE, 0x7000000000 | 3), 7),
        (lambda b: b.put(LEAVES, 0x9000 | 3 | 1 << 62), 0xC),
        (lambda b: b.readable.__setitem__(ROOT >> 12, 6), 8),
        (lambda b: b.readable.__setitem__(LEAVES >> 12, 0), 7),
    ],
)
def test_reasons(b, spoil, reason):
    spoil(b)
    b.command(TE)
    assert b.dma(0) == -1
    assert b.unit["reason"] == reason


def test_an_address_may_be_too_wide_and_a_device_may_pass(b):
    b.command(TE)
    assert b.dma(1 << 39) == -1
    assert b.unit["reason"] == 4
    b.put(CONTEXTS, 9, 1 << 8 | 2)
    assert b.dma(0x7654321, source=0) == 0x7654321
    assert b.dma(1 << 48, source=0) == -1


def test_the_queue_invalidates_and_waits(b):
    b.command(TE)
    assert b.dma(0) == 0x9000
    b.put(LEAVES, 0xC000 | 3)
    b.write(IECTL, 0)
    done = b.queue((2 | 3 << 4 | 1 << 16, 0), (5 | 1 << 4 | 1 << 5 | 0x1234 << 32, 0xD000))
    assert done == [vtd_queue.DONE, vtd_queue.STATUS]
    assert (b.unit["status_address"], b.unit["status_data"]) == (0xD000, 0x1234)
    assert b.read(IQH) == b.read(IQT) == 32
    assert b.read(ICS) == 1
    assert vtd_core.take_event(b.unit) == vtd_core.INVALIDATION
    assert b.dma(0) == 0xC000
    b.write64(0xF8, 1 << 63 | 1 << 60)
    assert b.read(0xFC) >> 25 & 3 == 0  # registers do nothing while the queue is on


def test_the_queue_stops_at_nonsense(b):
    assert b.queue((3, 0), (2 | 1 << 4, 0)) == [vtd_queue.IDLE, vtd_queue.IDLE]
    assert b.read(FSTS) == 1 << 4
    assert b.read(IQH) == 0
    b.put(QUEUE, 2 | 1 << 4)
    b.write(FSTS, 1 << 4)
    assert vtd_queue.step(b.unit, b.memory, b.readable) == vtd_queue.DONE


def test_the_queue_ends_though_its_tail_is_behind_it(b):
    b.write64(IQA, QUEUE)
    b.command(QIE)
    for place in range(0, 0x1000, 16):
        b.put(QUEUE + place, 2 | 1 << 4)
    b.write(IQT, 0x1000)
    assert vtd_queue.step(b.unit, b.memory, b.readable) == vtd_queue.IDLE
    assert b.read(FSTS) == 1 << 4


def irte(*, vector=0x50, destination=3, mode=0, level=0, logical=0):
    return 1 | logical << 2 | level << 4 | mode << 5 | vector << 16 | destination << 32


def handle(index):
    return MSI | (index & 0x7FFF) << 5 | 1 << 4


def test_interrupts_are_what_the_entry_says(b):
    b.put(IRTES + 16 * 2, irte(destination=0x300, level=1), 1 << 18 | DEVICE)
    assert b.message(MSI, 0x50) == vtd_interrupts.AS_IT_IS
    b.remap(wide=False)
    assert b.message(handle(2)) == 3 << 16 | 1 << 15 | 0x50
    assert b.message(handle(1) | 1 << 3, 1) == 3 << 16 | 1 << 15 | 0x50
    assert b.message(handle(2), source=0x10) == -1
    assert b.unit["reason"] == 0x26
    assert b.message(handle(3)) == -1
    assert b.unit["reason"] == 0x22
    assert b.message(handle(16)) == -1
    assert b.unit["reason"] == 0x21
    assert b.read(FRCD + 4) == 2 << 16
    assert b.read(FRCD + 12) == 1 << 31 | 0x26


def test_destinations_are_wide_if_software_says_so(b):
    b.put(IRTES, irte(destination=0x12345, logical=1, mode=1), 0)
    b.put(IRTES + 16, irte(destination=0x12345) | 1 << 15, 0)
    b.remap(wide=True)
    assert b.message(handle(0)) == 0x12345 << 16 | 1 << 11 | 1 << 8 | 0x50
    assert b.message(handle(1)) == -1
    assert b.unit["reason"] == 0x24


def test_the_compatibility_format_passes_where_software_lets_it(b):
    b.remap(wide=False)
    assert b.message(MSI, 0x50) == -1
    assert b.unit["reason"] == 0x25
    b.command(CFI)
    assert b.message(MSI, 0x50) == vtd_interrupts.AS_IT_IS
    b.remap(wide=True)
    assert b.message(MSI, 0x50) == -1


def test_interrupt_entries_are_remembered_too(b):
    b.put(IRTES, irte(destination=0x100), 0)
    b.remap(wide=False)
    assert b.message(handle(0)) == 1 << 16 | 0x50
    b.put(IRTES, irte(destination=0x200), 0)
    assert b.message(handle(0)) == 1 << 16 | 0x50
    b.queue((4 | 1 << 4, 0))
    assert b.message(handle(0)) == 2 << 16 | 0x50


def test_pins_name_entries_as_messages_do(b):
    b.put(IRTES + 16, irte(destination=0x300), 1 << 18 | 0xF0F8)
    b.remap(wide=False)
    entry = 1 << 49 | 1 << 48 | 0x31
    found = vtd_interrupts.remap_pin(b.unit, b.memory, b.readable, 0xF0F8, entry)
    assert found == 3 << 16 | 0x50
    assert vtd_interrupts.remap_pin(b.unit, b.memory, b.readable, 0xF0F8, 3 << 56 | 0x31) == -1
