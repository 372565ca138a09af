"""Whatever the partition table says, the firmware says what is wrong, or hands off: it never goes astray."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.boot.partition import partition_table
from mksim.spec import partition
from mksim.spec.memmap import DRAM_LIMIT, FIRMWARE_STACKS, HIGH_DRAM, LOW_DRAM_END, PAGE
from tests.firmware.bare import PAINT, Outcome, enter
from tests.firmware.layouts import two_kernels

RICH_BOOT, BSP = 4, 0
"""APIC IDs of two of `two_kernels()`."""
STACK = 512

PLACES, SHIFTS, WORDS = st.integers(0, 1 << 16), st.integers(0, 32), st.integers(0, 0xFFFFFFFF)

BAD_TABLE, UNKNOWN_CORE, NO_ROOM = 0xE1, 0xE2, 0xE3


class Table:
    """A partition table whose fields can be set."""

    def __init__(self) -> None:
        self.bytes = np.frombuffer(partition_table(two_kernels()), np.uint8).copy()
        self.header = self.bytes[: partition.HEADER.itemsize].view(partition.HEADER)[0]

    def array(self, name: str, layout: np.dtype) -> np.ndarray:
        offset, count = self.header[name]
        return self.bytes[offset : offset + count * layout.itemsize].view(layout)

    @property
    def kernels(self) -> np.ndarray:
        return self.array("kernels", partition.KERNEL)

    def sealed(self) -> bytes:
        words = self.bytes.view("<u4")
        words[3] = 0
        words[3] = -int(words.sum(dtype=np.uint64)) & 0xFFFFFFFF
        return self.bytes.tobytes()


def set_header(field: str, value: int) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table.header[field] = value

    return change


def set_array(name: str, field: str, value: int) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table.header[name][field] = value

    return change


def set_kernel(field: str, value: int) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table.kernels[0][field] = value

    return change


def set_entry(array: str, layout: np.dtype, field: str, value: int) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table.array(array, layout)[0][field] = value

    return change


BAD = [
    (set_header("magic", 0x1234), "magic is 0x1234, not 0x74706b6d"),
    (set_header("version", 1), "version is 0x1, not 0x2"),
    (set_header("size", 0x10004), "size 65540 is impossible"),
    (set_header("size", 91), "size 91 is impossible"),
    (set_header("dram_pages", DRAM_LIMIT // PAGE + 1), "DRAM of 786433 pages is impossible"),
    (set_array("kernels", "count", 0x10000000), "kernels: 268435456 is too many"),
    (set_array("cores", "offset", 0xFFFFFFF0), "cores: 4294967280 is no offset of an array"),
    (set_array("spans", "offset", 0), "spans: 0 is no offset of an array"),
    (set_array("strings", "count", 0), "string pool of size 0 does not end with NUL"),
    (set_array("strings", "count", 2), "string pool of size 2 does not end with NUL"),
    (set_kernel("name", 1 << 20), "kernel 0 has a name or cmdline nowhere"),
    (set_kernel("first_span", 9), "kernel 0 has spans nowhere"),
    (set_kernel("span_count", 0xFFFFFFFF), "kernel 0 has spans nowhere"),
    (set_kernel("module_count", 2), "kernel 0 has modules nowhere"),
    (set_kernel("boot_core", 3), "kernel 0 does not own its boot core"),
    (set_kernel("boot_core", 99), "kernel 0 does not own its boot core"),
    (set_kernel("ioapic", 1), "kernel 0 has no such I/O APIC"),
    (set_kernel("protocol", 7), "kernel 0 wants an unknown boot protocol"),
    (set_kernel("entry", 1 << 32), "kernel 0 has its entry beyond DRAM"),
    (set_kernel("low_size", 1 << 63), "kernel 0 has its low pages beyond DRAM"),
    (set_kernel("tables_base", 7 << 20), "kernel 0 does not own its tables area"),
    (set_kernel("tables_size", 1 << 40), "kernel 0 does not own its tables area"),
    (set_kernel("tables_base", (2 << 20) + 8), "kernel 0 has a crooked or low tables area"),
    (set_entry("cores", partition.CORE, "kernel", 2), "core 0 is owned by no kernel"),
    (set_entry("spans", partition.SPAN, "size", 15 << 20), "span 0 reaches beyond DRAM"),
    (set_entry("windows", partition.WINDOW, "name", 1 << 31), "window 0 has its name nowhere"),
    (set_entry("grants", partition.GRANT, "window", 1), "grant 0 is of no window or to no kernel"),
    (set_entry("doorbells", partition.DOORBELL, "receiver", 2), "doorbell 0 is from or to no kernel"),
    (set_entry("modules", partition.MODULE, "base", 1 << 32), "module 0 or its cmdline is nowhere"),
]


@pytest.mark.parametrize(("change", "complaint"), BAD, ids=[complaint for _, complaint in BAD])
def test_bad_table_is_named(change: Callable[[Table], None], complaint: str) -> None:
    table = Table()
    change(table)
    outcome = enter(table.sealed(), RICH_BOOT)
    assert outcome.console == f"firmware: APIC ID 0x4 stopped: partition table at 0x70000: {complaint}\n"
    assert outcome.posts[-1] == BAD_TABLE


def test_flipped_bit_breaks_the_sum() -> None:
    data = bytearray(partition_table(two_kernels()))
    data[-1] ^= 0x80
    assert "sum of all words is 0x80000000, not 0x0" in enter(bytes(data), BSP, bsp=True).console


def test_no_table_is_no_kernel() -> None:
    outcome = enter(b"", BSP, bsp=True)
    assert "magic is 0x0" in outcome.console
    assert not outcome.started


def test_unknown_core_says_so() -> None:
    outcome = enter(partition_table(two_kernels()), 0x1234)
    assert outcome.console.endswith("APIC ID 0x1234 stopped: the partition table does not know this core\n")
    assert outcome.posts[-1] == UNKNOWN_CORE


@pytest.mark.parametrize("size", [0, 16, 0x100, 0x400, 0x500])
def test_small_tables_area_is_named(size: int) -> None:
    table = Table()
    table.kernels[0]["tables_size"] = size
    outcome = enter(table.sealed(), RICH_BOOT)
    base = int(table.kernels[0]["tables_base"])
    assert outcome.console.endswith(f"kernel a: its tables do not fit in the {size:#x} bytes at {base:#x}\n")
    assert outcome.posts[-1] == NO_ROOM
    assert all(address < base + size for address in outcome.written())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PLACES, SHIFTS, WORDS), max_size=4))
def test_any_table_ends_in_words_or_in_a_hand_off(changes: list[tuple[int, int, int]]) -> None:
    table = Table()
    words = table.bytes.view("<u4")
    for place, shift, value in changes:
        words[place % len(words)] = value >> shift
    if not changes or words[2] > len(table.bytes):
        table.header["size"] = len(table.bytes)
    assert_went_nowhere_wrong(table, enter(table.sealed(), RICH_BOOT))


def assert_went_nowhere_wrong(table: Table, outcome: Outcome) -> None:
    stopped = outcome.console.startswith("firmware: APIC ID 0x4 stopped: ") and outcome.console.endswith("\n")
    assert stopped == (outcome.handed_off is None)
    written = outcome.written()
    assert not len(written[written < FIRMWARE_STACKS])
    assert not len(written[(written >= LOW_DRAM_END) & (written < HIGH_DRAM)])
    if outcome.handed_off is not None and (written >= HIGH_DRAM).any():
        kernel = table.kernels[outcome.handed_off]
        high = written[written >= HIGH_DRAM]
        assert kernel["tables_base"] <= high[0]
        assert high[-1] < kernel["tables_base"] + kernel["tables_size"]
    stacks = outcome.memory[FIRMWARE_STACKS:LOW_DRAM_END].reshape(-1, STACK)
    assert (stacks[:, 0] == PAINT).all(), "a stack is used up"
