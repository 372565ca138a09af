"""The ledger's law, on a real machine under trust: it misses nothing, at page grain, and invents nothing.

Drawn: layouts, and programs of deeds of which it is known what they touch. The judge knows the layout, page
by page, and what the instructions say; it works out from these alone who did what to which page, port or core
of whose. It wants to find all that, and nothing else, by instructions of the deeds that do it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mksim.fabric.ledger import Act
from mksim.fabric.ownership import FIRMWARE, NOBODY, SHARED, Rights, Signal
from mksim.machine.config import Doorbell, Ending, Expect, Kernel, Layout, Protection, Uart, Window
from mksim.machine.kernel import State
from mksim.machine.machine import Machine
from mksim.spec.span import Span
from tests.properties import wild_guest
from tests.properties.known_deeds import RETURN, Deed, Touch, known_deeds
from tests.properties.test_isolation import image
from tests.properties.wild_guest import Wild, sleeper

PAGE, MEMORY, CORES = 0x1000, 4 << 20, 5
KERNELS, ACTIVE = 4, 2
SETTLED, RUN = 60_000, 3_000_000
"""Cycles: for those to get to sleep who do nothing, and for the programs to come to their ends."""
UARTS = (0x3F8, 0x2F8, 0x3E8)
FIRMWARE_PAGES = range(0x72, 0x78)
NEEDS = {"read": Rights.R, "write": Rights.W, "execute": Rights.X}

Fact = tuple[int, str, int, int, bool, int]
"""Who, the act, which page, port or vector, whose, whether granted, and the deed."""


@dataclass(frozen=True)
class Case:
    layout: Layout
    programs: tuple[tuple[Deed, ...], ...]

    def start(self, kernel: int, deed: int) -> int:
        """Return where a deed's code is."""
        base = self.layout.kernels[kernel].memory[0].base + wild_guest.DEEDS
        back = len(wild_guest.jump(0))
        return base + sum(len(earlier.code) + back for earlier in self.programs[kernel][:deed])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = {f"first {n}": 0x28 if n < ACTIVE else 0x12 for n in range(KERNELS)}
    sizes |= {f"second {n}": 2 for n in range(KERNELS)} | {f"window {n}": 2 for n in range(3)}
    spans, base = {}, 0x100000
    for name in draw(st.permutations(sorted(sizes))):
        spans[name] = Span(base, sizes[name] * PAGE)
        base = spans[name].end + PAGE * draw(st.sampled_from([0, 0, 1, 3]))
    windows = tuple(
        Window(
            name=f"window {n}",
            span=spans[f"window {n}"],
            rights={f"k{k}": Rights(draw(st.integers(0, 7))) for k in range(KERNELS) if draw(st.booleans())},
            watch=draw(st.booleans()),
        )
        for n in range(3)
    )
    apic_ids = draw(st.sampled_from([tuple(range(CORES)), (0, 3, 4, 9, 12)]))
    order, legacy, io = draw(st.permutations(range(CORES))), draw(st.integers(0, 3)), draw(st.integers(0, 4))
    asleep = [apic_ids[core] for core in order[ACTIVE:]]
    programs = tuple(
        tuple(draw(st.lists(deeds_of(n, spans, base, apic_ids, asleep), min_size=1, max_size=30)))
        for n in range(draw(st.integers(1, ACTIVE)))
    )
    doorbells = tuple(
        Doorbell(
            sender=f"k{a}",
            receiver=f"k{b}",
            vectors=range(0x30, 0x90),
            signals=draw(st.sampled_from(list(Signal))),
        )
        for a in range(ACTIVE)
        for b in range(KERNELS)
        if a != b and draw(st.booleans())
    )
    layout = Layout(
        path=Path("known"),
        memory=MEMORY,
        apic_ids=apic_ids,
        kernels=tuple(
            kernel(n, spans, programs, order[n], legacy=n == legacy, io=n == io) for n in range(KERNELS)
        ),
        windows=windows,
        doorbells=doorbells,
        seed=draw(st.integers(1, 1 << 20)),
        protection=Protection.TRUST,
        expected_violations=None,
    )
    return Case(layout, programs)


def deeds_of(
    n: int, spans: dict[str, Span], end: int, apic_ids: Sequence[int], asleep: Sequence[int]
) -> st.SearchStrategy[Deed]:
    """Return deeds of a kernel. None stores to what an active kernel needs, nor to what is called."""
    needed = {page for k in range(ACTIVE) for page in pages(spans[f"first {k}"])}
    spare = sorted(set(range(0x100, end // PAGE + 2)) - needed)
    asleep_in = {spans[f"first {k}"].base // PAGE for k in range(ACTIVE, KERNELS)}
    read = [*spare, *needed, *FIRMWARE_PAGES, *range(1, KERNELS + 1), 0xC0, 0x1FF]
    write = [page for page in spare if page % 8 < 4 and not {page + 1, page + 2} & needed]
    empty = [
        page for page in spare if page % 8 > 5 and page not in {*pages(spans[f"second {n}"]), *asleep_in}
    ]
    return known_deeds(spans[f"first {n}"].base, (read, write, empty), apic_ids, asleep)


def kernel(
    n: int,
    spans: dict[str, Span],
    programs: tuple[tuple[Deed, ...], ...],
    core: int,
    *,
    legacy: bool,
    io: bool,
) -> Kernel:
    base = spans[f"first {n}"].base
    data = Wild([deed.code for deed in programs[n]]).image(base) if n < len(programs) else sleeper(base)
    return Kernel(
        id=n, name=f"k{n}", path=Path("known"), image=image(base, data), cores=(core,),
        memory=(spans[f"first {n}"], spans[f"second {n}"]), low_page=Span(PAGE * (n + 1), PAGE),
        legacy=legacy, ioapic=0 if io else None, expect=Expect(ending=Ending.ANY),
        console=Uart(index=n, base=UARTS[n], irq=4) if n < len(UARTS) else None,
    )  # fmt: skip


def pages(span: Span) -> range:
    return range(span.base // PAGE, span.end // PAGE)


# --- the judge


def page_owner(layout: Layout, page: int) -> int | None:
    """Return whose a page of DRAM is; None where there is none, or where it is everybody's."""
    for one in layout.kernels:
        if any(page in pages(span) for span in (*one.memory, one.low_page)):
            return one.id
    if any(page in pages(window.span) for window in layout.windows):
        return SHARED
    if page == 0 or 0x70 <= page < 0xA0:
        return FIRMWARE
    return NOBODY if page < 0xA0 or 0x100 <= page < MEMORY // PAGE else None


def judge_page(layout: Layout, who: int, act: str, page: int) -> Iterator[tuple[int, int, bool]]:
    """Yield page, owner and whether it was granted, if an access to a page is a crossing."""
    owner = page_owner(layout, page)
    if owner is None or owner == who:
        return
    window = next((window for window in layout.windows if page in pages(window.span)), None)
    held = window.rights.get(f"k{who}", Rights.NONE) if window else Rights.NONE
    granted = bool(held & NEEDS.get(act, Rights.R))
    unreadable = not held & Rights.R  # to refuse loads all accesses are looked at, and are on record
    if not granted or unreadable or (window is not None and window.watch):
        yield page, owner, granted


def chip_owner(layout: Layout, touch: Touch) -> int:
    """Return whose a port or a device is."""
    if touch.act.startswith("device") and touch.where & 0xFFFF0000 == 0xFEC00000:
        return next((one.id for one in layout.kernels if one.ioapic is not None), NOBODY)
    for one in layout.kernels:
        if one.console is not None and one.console.base <= touch.where < one.console.base + 8:
            return one.id
    return next(one.id for one in layout.kernels if one.legacy)


def judge_message(layout: Layout, who: int, touch: Touch) -> Iterator[tuple[int, int, bool]]:
    core = layout.apic_ids.index(touch.where)
    owner = next((one.id for one in layout.kernels if core in one.cores), NOBODY)
    if owner == who:
        return
    granted = False
    for bell in layout.doorbells:
        if (bell.sender, bell.receiver) == (f"k{who}", f"k{owner}"):
            wanted = {"nmi": Signal.NMI, "init": Signal.INIT}.get(touch.act)
            granted = touch.vector in bell.vectors if wanted is None else bool(bell.signals & wanted)
    yield touch.vector, owner, granted


def judge_touch(layout: Layout, who: int, touch: Touch) -> Iterator[tuple[int, int, bool]]:
    if touch.act in ("ipi", "nmi", "init"):
        yield from judge_message(layout, who, touch)
    elif touch.act in ("read", "write", "execute", "walk"):
        for page in range(touch.where // PAGE, (touch.where + touch.size - 1) // PAGE + 1):
            yield from judge_page(layout, who, touch.act, page)
    else:
        owner = chip_owner(layout, touch)
        if owner not in (who, NOBODY):
            yield touch.where, owner, False


def expected(case: Case) -> Iterator[Fact]:
    for who, program in enumerate(case.programs):
        for number, deed in enumerate(program):
            for touch in deed.touches:
                for where, owner, granted in judge_touch(case.layout, who, touch):
                    by = -1 if touch.act == "execute" else number  # the instruction is another's
                    yield who, touch.act, where, owner, granted, by


# --- what the ledger says


def deed_at(case: Case, who: int, rip: int) -> int:
    """Return the deed whose code an instruction is of; -1 if it is of none."""
    for number, deed in enumerate(case.programs[who] if who < len(case.programs) else ()):
        if 0 <= rip - case.start(who, number) < len(deed.code):
            return number
    return -1


def recorded(case: Case, machine: Machine) -> Iterator[Fact]:
    for crossing in machine.ledger.ring[: machine.ledger.total]:
        who, act = int(crossing["kernel"]), Act(crossing["act"]).name.lower()
        where = int(crossing["where"])
        if act in ("read", "write", "execute", "walk"):
            where //= PAGE
        number = deed_at(case, who, int(crossing["rip"]))
        yield who, act, where, int(crossing["target"]), bool(crossing["granted"]), number


def rude_awakenings(case: Case) -> set[Fact]:
    """Return what those do who get an NMI asleep: they have no table of interrupts, and look for it at 0."""
    return {
        (n, "walk", 0, FIRMWARE, False, -1)
        for n in range(ACTIVE, KERNELS)
        if any(act == "nmi" and whose == n for _, act, _, whose, *_ in expected(case))
    }


def run(case: Case) -> Machine:
    machine = Machine(case.layout)
    while any(life.state is State.STARTING for life in machine.lives):
        machine.run(turns=1)
    machine.run(until=machine.now + SETTLED)
    assert machine.ledger.total == 0
    memory = machine.board.memory
    for page in range(0x100, MEMORY // PAGE):
        if not any(page in pages(one.memory[0]) for one in case.layout.kernels[:ACTIVE]):
            memory[page * PAGE :][:PAGE] = RETURN
    for number in range(len(case.programs)):
        memory[case.layout.kernels[number].memory[0].base + wild_guest.GO] = 1
    machine.run(until=machine.now + RUN)
    for life in machine.lives[: len(case.programs)]:
        assert (life.state, life.exit_code) == (State.ENDED, 1)
    return machine


def obey(case: Case) -> None:
    machine = run(case)
    want, have = set(expected(case)), set(recorded(case, machine)) - rude_awakenings(case)
    # a page that had to be opened is on record once for as long as it is open, by who opened it
    missed = {fact[:-1] for fact in want} - {fact[:-1] for fact in have}
    assert missed == set()
    invented = have - want
    assert invented == set()
    assert int(machine.ledger.counts.sum()) == machine.ledger.total


TRY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(case=cases())
@settings(TRY, max_examples=50)
def test_the_ledger_misses_nothing_and_invents_nothing(case):
    obey(case)


@pytest.mark.slow
@given(case=cases())
@settings(TRY, max_examples=1000)
def test_a_thousand_more_programs_are_on_record(case):
    obey(case)
