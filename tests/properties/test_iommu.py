"""Laws of the IOMMU's tables: a request goes where a dumb walker says, of what the tables are or of what may
still be remembered of them; and no invalidation leaves behind what it is for.
"""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mksim.hw import vtd, vtd_walk
from mksim.hw.vtd import VTD

LAW = settings(deadline=None, derandomize=True, max_examples=150)  # the first call may compile
PAGES = 24
MEMORY = PAGES * 4096
ROOT, CONTEXTS = 0x1000, 0x2000
SOURCES = (0x08, 0x10)  # 00:01.0, 00:02.0
DOMAINS = (1, 2)

# What tests may write into entries: few tables and few indices, so that walks meet entries
INDICES = st.sampled_from([0, 1, 2, 511])
TABLES = st.integers(3, 9)
FLAGS = st.sampled_from([0b11, 0b11, 0b11, 0b11, 0b01, 0b10, 0b00, 0b10000011, 0b10000001])
ODDITIES = st.sampled_from([0, 0, 0, 0, 0, 0, 1 << 11, 1 << 40, 1 << 62, 1 << 63, 1 << 52])
FRAMES = st.one_of(
    TABLES, TABLES, TABLES, st.integers(0, (1 << 28) - 1), st.integers(0, 127).map(lambda n: n << 18)
)
ENTRIES = st.tuples(FRAMES, FLAGS, ODDITIES).map(lambda e: e[0] << 12 | e[1] | e[2])
CONTEXT_LOWS = st.tuples(TABLES, st.sampled_from([1, 1, 1, 1, 0, 3, 9, 5, 13, 1 << 4 | 1])).map(
    lambda c: c[0] << 12 | c[1]
)
CONTEXT_HIGHS = st.tuples(st.sampled_from(DOMAINS), st.sampled_from([2, 2, 1, 0, 3])).map(
    lambda c: c[0] << 8 | c[1]
)
ADDRESSES = st.tuples(INDICES, INDICES, INDICES, INDICES, st.sampled_from([0, 0x7F8, 0xFFF])).map(
    lambda a: a[0] << 39 | a[1] << 30 | a[2] << 21 | a[3] << 12 | a[4]
)
HOW_MUCH = st.sampled_from([1, 2, 3])  # global, of a domain, of a device or of pages
ORDERS = st.sampled_from([0, 0, 1, 9, 18])
REQUESTS = st.tuples(st.just("request"), st.sampled_from(SOURCES), ADDRESSES, st.booleans())
OPERATIONS = st.lists(
    st.one_of(
        REQUESTS,
        REQUESTS,
        REQUESTS,
        st.tuples(st.just("write"), TABLES, INDICES, ENTRIES),
        st.tuples(st.just("context"), st.sampled_from(SOURCES), CONTEXT_LOWS, CONTEXT_HIGHS),
        st.tuples(st.just("contexts"), HOW_MUCH, st.sampled_from(DOMAINS), st.sampled_from(SOURCES)),
        st.tuples(st.just("pages"), HOW_MUCH, st.sampled_from(DOMAINS), ADDRESSES, ORDERS),
    ),
    min_size=10,
    max_size=60,
)  # fmt: skip


class Chip:
    """The unit, driven by its registers alone."""

    def __init__(self, memory: np.ndarray) -> None:
        self.unit = np.zeros(1, VTD)[0]
        self.memory, self.readable = memory, np.full(PAGES, 7, np.uint8)
        vtd.reset(self.unit)
        self.write64(0x20, ROOT)
        vtd.write(self.unit, 0x18, 1 << 30)
        vtd.write(self.unit, 0x18, 1 << 31)

    def write64(self, offset: int, value: int) -> None:
        vtd.write(self.unit, offset, value & 0xFFFFFFFF)
        vtd.write(self.unit, offset + 4, value >> 32)

    def request(self, source: int, address: int, write: bool) -> int | None:
        """Return where it goes; minus the reason of a fault."""
        where = int(vtd_walk.translate(self.unit, self.memory, self.readable, source, address, write))
        return where if where >= 0 else -int(self.unit["reason"])

    def contexts(self, granularity: int, domain: int, source: int) -> None:
        self.write64(0x28, 1 << 63 | granularity << 61 | source << 16 | domain)
        assert vtd.read(self.unit, 0x2C) & 0x98000000 == granularity << 27

    def pages(self, granularity: int, domain: int, address: int, order: int) -> None:
        self.write64(0xF0, address & ~0xFFF | order)
        self.write64(0xF8, 1 << 63 | granularity << 60 | domain << 32)
        assert vtd.read(self.unit, 0xFC) & 0x86000000 == granularity << 25


@dataclass
class Model:
    """A dumb walker, and sets of all that a unit may still remember, however large its caches were."""

    memory: np.ndarray
    known_contexts: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    known_pages: set[tuple[int, int, int, int, int]] = field(default_factory=set)
    """Domain, first page of 4 KiB, how many of them, where it is, rights."""

    def quad(self, address: int) -> int:
        return int(self.memory[address >> 3])

    def answers(self, source: int, address: int, write: bool) -> set[int]:
        now = (self.quad(CONTEXTS + 16 * source), self.quad(CONTEXTS + 16 * source + 8))
        known = self.known_contexts.setdefault(source, set())
        found = set()
        for context in known | {now}:
            found |= self.answers_with(context, address, write)
        if self.wrong(now) is None:
            known.add(now)
        return found

    @staticmethod
    def wrong(context: tuple[int, int]) -> int | None:
        low, high = context
        if low % 2 == 0:
            return 2
        if low >> 4 & 0xFF or low >> 40 or high >> 24 or high >> 7 & 1:
            return 0xB
        if low >> 2 & 3 not in (0, 2) or high & 7 not in (1, 2) or (low >> 2 & 3 == 2 and high & 7 == 1):
            return 3
        return None

    def answers_with(self, context: tuple[int, int], address: int, write: bool) -> set[int]:
        if (wrong := self.wrong(context)) is not None:
            return {-wrong}
        low, high = context
        levels = {1: 3, 2: 4}[high & 7]
        if address >= 1 << (12 + 9 * levels):
            return {-4}
        if low >> 2 & 3 == 2:
            return {address}
        domain = high >> 8 & 0xFFFF
        found = set()
        for whose, first, count, where, rights in self.known_pages:
            if whose == domain and first <= address >> 12 < first + count:
                allowed = rights & (2 if write else 1)
                found.add(where + address - first * 4096 if allowed else -(5 if write else 6))
        found.add(self.walk(low >> 12, levels, domain, address, write))
        return found

    def walk(self, table: int, levels: int, domain: int, address: int, write: bool) -> int:
        rights = 3
        for level in reversed(range(levels)):
            if table >= PAGES:
                return -7
            entry = self.quad(table * 4096 + 8 * (address // (4096 * 512**level) % 512))
            size = 512**level
            leaf = level == 0 or entry & 128
            table = entry % (1 << 40) // 4096
            if entry & 3:
                odd = entry >> 62 & 1 or entry >> 11 & 1 or entry >> 40 & 0xFFF
                if odd or (level and entry & 128 and (table % size or level == 3)):
                    return -0xC
            if not entry & (2 if write else 1):
                return -(5 if write else 6)
            rights &= entry
            if leaf:
                first = (address >> 12) // size * size
                self.known_pages.add((domain, first, size, table * 4096, rights))
                return table * 4096 + address - first * 4096
        raise AssertionError

    def contexts(self, granularity: int, domain: int, source: int) -> None:
        for whose, known in self.known_contexts.items():
            kept = set()
            for context in known:
                same = context[1] >> 8 & 0xFFFF == domain
                if not (granularity == 1 or (same and (granularity == 2 or whose == source))):
                    kept.add(context)
            self.known_contexts[whose] = kept

    def pages(self, granularity: int, domain: int, address: int, order: int) -> None:
        asked = (address >> 12) // 2**order * 2**order
        self.known_pages = {
            known
            for known in self.known_pages
            if not (
                granularity == 1
                or (
                    known[0] == domain
                    and (granularity == 2 or (known[1] < asked + 2**order and asked < known[1] + known[2]))
                )
            )
        }


def board() -> np.ndarray:
    memory = np.zeros(MEMORY // 8, np.uint64)
    memory[ROOT >> 3] = CONTEXTS | 1
    for source, domain, table in zip(SOURCES, DOMAINS, (3, 4), strict=True):
        memory[(CONTEXTS >> 3) + 2 * source] = table << 12 | 1
        memory[(CONTEXTS >> 3) + 2 * source + 1] = domain << 8 | 2
    for table in range(3, 10):
        memory[table << 9] = (table + 1) % PAGES << 12 | 3
    return memory


@LAW
@given(OPERATIONS)
@example(
    [
        ("request", 8, 0, True),
        ("write", 6, 0, 0),
        ("request", 8, 0, True),
        ("pages", 3, 1, 0, 0),
        ("request", 8, 0, True),
    ]
)
def test_a_request_goes_where_a_dumb_walker_says(operations):
    memory = board()
    chip, model = Chip(memory), Model(memory)
    for name, *arguments in operations:
        if name == "request":
            source, address, write = arguments
            where = chip.request(source, address, write)
            possible = model.answers(source, address, write)
            assert where in possible
        elif name == "write":
            table, index, entry = arguments
            memory[(table << 9) + index] = entry
        elif name == "context":
            source, low, high = arguments
            memory[(CONTEXTS >> 3) + 2 * source : (CONTEXTS >> 3) + 2 * source + 2] = low, high
        else:
            getattr(chip, name)(*arguments)
            getattr(model, name)(*arguments)


@LAW
@given(OPERATIONS)
def test_after_a_global_invalidation_tables_are_what_counts(operations):
    memory = board()
    chip = Chip(memory)
    for name, *arguments in operations:
        if name == "write":
            memory[(arguments[0] << 9) + arguments[1]] = arguments[2]
        elif name == "context":
            at = (CONTEXTS >> 3) + 2 * arguments[0]
            memory[at : at + 2] = arguments[1:]
        elif name == "request":
            chip.contexts(1, 0, 0)
            chip.pages(1, 0, 0, 0)
            assert {chip.request(*arguments)} == Model(memory).answers(*arguments)
