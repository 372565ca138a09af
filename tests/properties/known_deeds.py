"""Deeds whose crossings are known beforehand: pieces of code for `wild_guest`, each with what it touches.

Touches are what the instructions say, byte by byte; whose the bytes are is for the judge to know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.properties.wild_deeds import RAX, RCX, RDI, RDX, RSI
from tests.properties.wild_guest import PD, mov32, mov64

PAGE = 0x1000
APIC_ICR, APIC_ICR_HIGH = 0xFEE00300, 0xFEE00310
HPET_COUNTER, IOREGSEL = 0xFED000F0, 0xFEC00000
RETURN = 0xC3
"""What foreign memory is full of: `ret` to who calls it, no page to who takes it for a page table."""
EDGES = (0, 1, 0x7F8, 0xFF0, 0xFF8, 0xFF9, 0xFFC, 0xFFD, 0xFFF)
WALKED = 100
"""Entry of the page directory that a deed lets point to a page table."""

LOADS = {
    "8a07": 1, "668b07": 2, "8b07": 4, "488b07": 8, "0f1007": 16, "ac": 1, "48ad": 8, "3a07": 1, "483b07": 8,
    "ff37": 8,
}  # fmt: skip
STORES = {
    "8807": 1, "668907": 2, "8907": 4, "488907": 8, "0f1107": 16, "c60700": 1, "aa": 1, "48ab": 8,
    "480fc307": 8, "4889fc68010203044883c408": -8,
}  # fmt: skip
BOTH = {"fe07": 1, "480107": 8, "8607": 1, "488707": 8, "f00fb117": 4, "f0480fc107": 8, "f00fab07": 4}
COPY = "f3a4"  # rep movsb


@dataclass(frozen=True)
class Touch:
    """An act at an address (memory, device), a port, or a core: by `vector` where it is an interrupt."""

    act: str
    where: int
    size: int = 1
    vector: int = 0


@dataclass(frozen=True)
class Deed:
    code: bytes
    touches: tuple[Touch, ...]


def pointing(to: int, code: str, source: int = 0, count: int = 0) -> bytes:
    pointers = mov64(RDI, to) + mov64(RSI, source or to) + mov64(RCX, count)
    return pointers + mov64(RAX, 0) + mov64(RDX, 0) + bytes.fromhex(code)


def load(address: int, code: str) -> Deed:
    return Deed(pointing(address, code), (Touch("read", address, LOADS[code]),))


def store(address: int, code: str) -> Deed:
    size = STORES[code]
    return Deed(pointing(address, code), (Touch("write", min(address, address + size), abs(size)),))


def change(address: int, code: str) -> Deed:
    size = BOTH[code]
    return Deed(pointing(address, code), (Touch("read", address, size), Touch("write", address, size)))


def copy(source: int, to: int, count: int) -> Deed:
    return Deed(pointing(to, COPY, source, count), (Touch("read", source, count), Touch("write", to, count)))


def call(address: int) -> Deed:
    return Deed(pointing(address, "ffd7"), (Touch("execute", address),))


def port(number: int, *, out: bool) -> Deed:
    return Deed(
        mov32(RDX, number) + mov32(RAX, 0) + (b"\xee" if out else b"\xec"),
        (Touch("out" if out else "in", number),),
    )


def device(address: int, *, write: bool) -> Deed:
    act = "device_write" if write else "device_read"
    return Deed(pointing(address, "8907" if write else "8b07"), (Touch(act, address, 4),))


def message(apic_id: int, mode: int, vector: int) -> Deed:
    high = mov64(RDI, APIC_ICR_HIGH) + mov32(RAX, apic_id << 24) + b"\x89\x07"
    low = mov64(RDI, APIC_ICR) + mov32(RAX, mode << 8 | 0x4000 | vector) + b"\x89\x07"
    return Deed(high + low, (Touch({0: "ipi", 4: "nmi", 5: "init"}[mode], apic_id, 0, vector),))


def walk(base: int, table: int) -> Deed:
    """Let a page table be looked for at `table`: it has no page, and the load faults."""
    entry = mov64(RDI, base + PD + 8 * WALKED) + mov64(RAX, table | 7) + b"\x48\x89\x07"
    flushed = b"\x0f\x20\xd8\x0f\x22\xd8"  # mov rax, cr3; mov cr3, rax
    return Deed(entry + flushed + mov64(RDI, WALKED << 21) + b"\x8b\x07", (Touch("walk", table, 8),))


def places(pages: Sequence[int]) -> st.SearchStrategy[int]:
    """Return addresses in pages, most of them near an end."""
    offsets = st.sampled_from(EDGES) | st.integers(0, PAGE - 1)
    return st.builds(lambda page, offset: page * PAGE + offset, st.sampled_from(pages), offsets)


def known_deeds(
    base: int, pages: tuple[Sequence[int], ...], apic_ids: Sequence[int], asleep: Sequence[int]
) -> st.SearchStrategy[Deed]:
    """Return a strategy for a deed of a guest at `base`.

    pages    to read, to write, and foreign ones that are full of RETURN
    asleep   APIC IDs of cores that may get NMI and INIT
    """
    source, target, foreign = map(places, pages)
    ports = st.sampled_from([0x3FF, 0x2FF, 0x3EF, 0x21, 0xA1, 0x61, 0x71])
    return st.one_of(
        st.builds(load, source, st.sampled_from(sorted(LOADS))),
        st.builds(store, target, st.sampled_from(sorted(STORES))),
        st.builds(change, target, st.sampled_from(sorted(BOTH))),
        st.builds(copy, source, target, st.sampled_from([1, 7, 64, 0x1001])),
        st.builds(call, foreign),
        st.builds(port, ports, out=st.booleans()),
        st.builds(device, st.sampled_from([HPET_COUNTER, IOREGSEL]), write=st.booleans()),
        st.builds(message, st.sampled_from(apic_ids), st.just(0), st.integers(0x20, 0xFF)),
        st.builds(message, st.sampled_from(asleep), st.sampled_from([4, 5]), st.integers(0x20, 0xFF)),
        st.builds(walk, st.just(base), st.sampled_from(pages[2]).map(lambda page: page * PAGE)),
    )
