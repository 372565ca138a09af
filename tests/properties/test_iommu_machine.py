"""Law: DMA reaches no page but what the IOMMU's tables and ownership both allow, and there it does all.

On a real machine: one kernel has a device, another the IOMMU, whose tables are drawn. The judge knows the
tables as a dictionary and the deeds as spans.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.fabric.ownership import Rights
from mksim.hw import vtd
from mksim.machine.config import Protection, Window
from mksim.machine.devices import Device, Kind
from mksim.machine.remapping import Iommu
from mksim.spec.span import Span
from tests.machine.guests import HALT, SPAN, base, machine

PAGE = 0x1000
READABLE, WRITABLE = 0x180000, 0x181000
"""Windows of one page each, in which the device's owner has one right."""
TABLES = base(1) + 0x8000
DEVICE, DOMAIN = 0x08, 1
PLACES = [
    *(base(0) + PAGE * n for n in (0x10, 0x11, 0x1E)), base(1) + 0x10000, READABLE, WRITABLE,
    0x1C0000, 0xA0000, 0x70000, 0x3FF000, 0x400000, 0xFEE00000,
]  # fmt: skip
"""The owner's, the other's, windows, nobody's, the hole, the firmware's, the last page, none, the LAPIC."""
SEEN = st.integers(0, 7)
ENTRIES = st.dictionaries(SEEN, st.tuples(st.sampled_from(PLACES), st.sampled_from([1, 2, 3, 3])))
MOVES = st.lists(
    st.tuples(
        SEEN, st.sampled_from([0, 1, 0x800, 0xFFF]), st.sampled_from([1, 8, 0xFFF, 0x1000]), st.booleans()
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module", params=list(Protection))
def sleeping(request):
    windows = tuple(
        Window(name=name, span=Span(at, PAGE), rights={"k0": right, "k1": Rights.ALL})
        for name, at, right in (("r", READABLE, Rights.R), ("w", WRITABLE, Rights.W))
    )
    device = Device(name="d", kind=Kind.EDU, owner="k0", slot=1)
    made = machine(
        HALT, HALT, devices=(device,), windows=windows, protection=request.param, iommu=Iommu(owner="k1")
    )
    while made.run() is None:
        pass
    return made


def set_up(one, entries):
    """Fill the tables, root to leaves, and switch the unit of the device's segment on."""
    words, unit = one.board.memory.view(np.uint64), one.board.iommus[-1]
    root, contexts, top, directory, leaves = (TABLES + PAGE * n for n in range(5))
    words[TABLES >> 3 : (TABLES + 5 * PAGE) >> 3] = 0
    words[root >> 3] = contexts | 1
    words[(contexts >> 3) + 2 * DEVICE : (contexts >> 3) + 2 * DEVICE + 2] = top | 1, DOMAIN << 8 | 1
    words[top >> 3], words[directory >> 3] = directory | 3, leaves | 3
    for seen, (place, rights) in entries.items():
        words[(leaves >> 3) + seen] = place | rights
    vtd.reset(unit)
    for offset, value in ((0x20, root), (0x24, 0), (0x18, 1 << 30), (0x18, 1 << 31)):
        vtd.write(unit, offset, value)


def move(one, at, count, write):
    chip, now = one.board.edus[0], one.now + 1
    chip["buffer"] = np.arange(len(chip["buffer"])) * 7 + at
    chip["dma"] = (0x40000, at, count, 3) if write else (at, 0x40000, count, 1)
    chip["moved"] = one.board.machine["device_deadline"] = now
    one.board.functions[-1]["config"][4] |= 4
    one.run(until=now + 1)
    return chip["buffer"].copy()


def allowed(one, entries, seen, write):
    """Return where a page that the device sees is, if it may have it."""
    place, rights = entries.get(seen, (0, 0))
    right = 2 if write else 1
    if not rights & right or place >= 0x400000 or place == 0xA0000:
        return None
    own = base(0) <= place < base(0) + SPAN
    granted = own or (place == READABLE and not write) or (place == WRITABLE and write)
    return place if granted or one.layout.protection is Protection.TRUST else None


@settings(deadline=None, derandomize=True, max_examples=60)
@given(entries=ENTRIES, moves=MOVES)
def test_dma_reaches_what_tables_and_ownership_allow(sleeping, entries, moves):
    set_up(sleeping, entries)
    memory = sleeping.board.memory
    for seen, inside, count, write in moves:
        at, expected = seen * PAGE + inside, memory.copy()
        sent = np.arange(4096) * 7 + at
        wanted = sent.astype(np.uint8)
        for byte in pieces(at, count):
            size = min(count - byte, PAGE - (at + byte) % PAGE)
            place = allowed(sleeping, entries, (at + byte) // PAGE, write)
            where = None if place is None else place + (at + byte) % PAGE
            if write and where is not None:
                expected[where : where + size] = sent[byte : byte + size]
            elif not write:
                wanted[byte : byte + size] = 0xFF if where is None else memory[where : where + size]
        buffer = move(sleeping, at, count, write)
        assert (memory == expected).all()
        assert (buffer == wanted).all()


def pieces(at, count):
    """Return where each page begins in a move."""
    return [0, *range(PAGE - at % PAGE, count, PAGE)]
