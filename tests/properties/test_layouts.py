"""Laws of layouts, judged by a model that knows nothing of spans: sets of page numbers."""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.errors import ConfigError
from mksim.machine.config import Layout
from mksim.machine.placement import Room
from mksim.machine.reading import make_layout
from mksim.spec.span import Span
from tests.images import movable, pvh

PAGE = 0x1000
TABLES = 16
"""Pages at the top of a kernel's first span that the firmware fills."""
FORBIDDEN = {0, *range(0x70, 0x100)}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layouts")
    (folder / "movable.elf").write_bytes(movable())
    (folder / "fixed.elf").write_bytes(pvh(base=0x800000))
    return folder / "config.toml"


def pages(span: Span) -> set[int]:
    return {address // PAGE for address in range(span.base, span.end, PAGE)}


def ranged(first: int, count: int) -> str:
    return f"{first * PAGE:#x}-{(first + count) * PAGE - 1:#x}"


# The first span must hold tables and an image; further ones may be anything.
sizes = st.integers(TABLES + 1, 1500).map(lambda count: f"{count * 4}K")
first_sizes = st.integers(600, 1500).map(lambda count: f"{count * 4}K")
low_ranges = st.builds(ranged, st.integers(1, 0x60), st.integers(1, 4))
ranges = st.builds(ranged, st.integers(0x100, 0x900), st.integers(1, 64))
others = st.lists(sizes | ranges | low_ranges, max_size=1)
memories = st.builds(lambda first, rest: [first, *rest], first_sizes, others)
mostly_movable = st.sampled_from(["movable.elf"] * 4 + ["fixed.elf"])
kernels = st.fixed_dictionaries({"image": mostly_movable, "memory": memories, "cores": st.integers(1, 3)})
windows = st.fixed_dictionaries({"memory": sizes | ranges})


@st.composite
def documents(draw):
    parties = draw(st.lists(kernels, min_size=2, max_size=4))
    shared = draw(st.lists(windows, max_size=2))
    return {
        "machine": {"memory": draw(st.sampled_from(["16M", "32M", "64M"]))},
        "kernel": {f"k{index}": kernel for index, kernel in enumerate(parties)},
        "window": [{"name": f"w{i}", "rights": {"*": "rw"}, **window} for i, window in enumerate(shared)],
    }


def parties(layout: Layout) -> list[set[int]]:
    """Return the pages of every kernel and every window, by the layout's own fields."""
    found = []
    for kernel in layout.kernels:
        low = [kernel.low_page] if kernel.low_page else []
        found.append(set().union(*(pages(span) for span in (*kernel.memory, *low))))
    return found + [pages(window.span) for window in layout.windows]


@given(document=documents())
@settings(max_examples=150, deadline=None)
def test_whatever_is_asked_for_a_layout_gives_no_page_to_two(config, document):
    try:
        layout = make_layout(document, config)
    except ConfigError:
        return
    owned = parties(layout)
    for one, other in combinations(owned, 2):
        assert not one & other
    everything = set().union(*owned)
    assert not everything & FORBIDDEN
    assert max(everything) < layout.memory // PAGE
    cores = [core for kernel in layout.kernels for core in kernel.cores]
    assert len(set(cores)) == len(cores)
    assert set(cores) <= set(range(len(layout.apic_ids)))
    ports = [port for kernel in layout.kernels for some in kernel.owned_ports for port in some]
    assert len(set(ports)) == len(ports)
    lows = [kernel.low_page for kernel in layout.kernels if len(kernel.cores) > 1]
    assert all(low and 0 < low.base < 0x70000 for low in lows)
    for kernel, asked in zip(layout.kernels, document["kernel"].values(), strict=True):
        _gets_what_it_asked_for(kernel, asked)


def _gets_what_it_asked_for(kernel, asked):
    given = set().union(*(pages(span) for span in kernel.owned))
    named = [wanted for wanted in asked["memory"] if "-" in wanted]
    for wanted in named:
        first, last = (int(end, 16) for end in wanted.split("-"))
        assert set(range(first // PAGE, last // PAGE + 1)) <= given
    high = [span for span in kernel.memory if span.base >= 1 << 20]
    sizes_left = sorted(span.size for span in high if str(span) not in named)
    assert sizes_left == sorted(int(wanted[:-1]) * 1024 for wanted in asked["memory"] if wanted not in named)
    own = set().union(*(pages(span) for span in kernel.memory)) - pages(kernel.tables)
    for segment in kernel.image.segments:
        assert pages(segment.span.moved(kernel.load_offset)) <= own
    assert kernel.image.relocation or kernel.load_offset == 0


@given(document=documents())
@settings(max_examples=50, deadline=None)
def test_the_same_config_gives_the_same_layout_or_the_same_problems(config, document):
    def outcome():
        try:
            layout = make_layout(document, config)
        except ConfigError as error:
            return str(error)
        return [(k.cores, k.memory, k.low_page, k.load_offset) for k in layout.kernels], layout.windows

    assert outcome() == outcome()


CLASH = re.compile(r"^(\S+)'s memory (\S+) overlaps (\S+)'s memory (\S+) ")


@given(
    spans=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0x100, 0x130), st.integers(1, 24)), min_size=1, max_size=8
    )
)
@settings(max_examples=150, deadline=None)
def test_every_pair_that_overlaps_is_told_and_no_other(config, spans):
    claims = {f"k{owner}": [] for owner, _, _ in spans}
    for owner, first, count in spans:
        claims[f"k{owner}"].append((first, count))
    table = {
        name: {"image": "movable.elf", "memory": [ranged(*span) for span in held]}
        for name, held in claims.items()
    }
    everything = [(name, span) for name, held in claims.items() for span in held]
    expected = [
        frozenset({(one, ranged(*a)), (other, ranged(*b))})
        for (one, a), (other, b) in combinations(everything, 2)
        if set(range(a[0], a[0] + a[1])) & set(range(b[0], b[0] + b[1]))
    ]
    told = [CLASH.match(problem.text) for problem in _problems({"kernel": table}, config)]
    pairs = [frozenset({(m[1], m[2]), (m[3], m[4])}) for m in told if m]
    assert sorted(pairs, key=sorted) == sorted(expected, key=sorted)


def _problems(document, config):
    try:
        make_layout(document, config)
    except ConfigError as error:
        return error.problems
    return ()


wishes = st.sampled_from(["lowest", "highest", "take"])
steps = st.lists(st.tuples(wishes, st.integers(1, 12), st.sampled_from([1, 2, 4, 8])), max_size=12)


@given(steps=steps)
def test_room_is_a_set_of_free_addresses(steps):
    room, free = Room([Span(8, 40), Span(56, 8)]), {*range(8, 48), *range(56, 64)}
    for how, size, align in steps:
        fits = [at for at in range(0, 64, align) if set(range(at, at + size)) <= free]
        if how == "take":
            got: Span | None = room.take(Span(align * 4, size))
            assert got is not None
        else:
            got = room.lowest(size, align) if how == "lowest" else room.highest(size, align)
            best = min(fits, default=None) if how == "lowest" else max(fits, default=None)
            assert (got and got.base) == best
        if got:
            free -= set(range(got.base, got.end))
        assert set().union(*(set(range(span.base, span.end)) for span in room.free)) == free
