"""Claims: who says that what is his. The first law of a layout is that no two of them overlap."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from mksim.errors import Problem
from mksim.spec import memmap
from mksim.spec.span import Span

CLASHES_MAX = 1000
"""More clashes than anybody reads are not listed."""


class Space(Enum):
    """What there is to claim."""

    MEMORY = "memory"
    PORTS = "ports"
    CORES = "core"
    IOAPICS = "I/O APIC"

    def show(self, span: Span) -> str:
        if self in (Space.CORES, Space.IOAPICS):
            return f"{self.value} {span.base}"
        return f"{self.value} {span}"


@dataclass(frozen=True, slots=True)
class Claim:
    """`party` claims `span` by what the config says, or leaves unsaid, under `key`."""

    space: Space
    party: str
    key: str
    span: Span
    why: str = ""
    """For people, where the config does not say it in so many words."""

    def __str__(self) -> str:
        return f"{self.party}'s {self.space.show(self.span)}" + (f", {self.why}" if self.why else "")


def board(memory: int, *, firmware_stays: bool = True) -> tuple[Claim, ...]:
    """Return what no kernel can have of a machine with this much memory."""
    firmware = (
        (0, memmap.LOW_PAGES, "the firmware", "for its interrupt vectors"),
        (memmap.FIRMWARE_RAM, memmap.LOW_DRAM_END, "the firmware", "for its tables and stacks"),
    )
    fixed = (
        *(firmware if firmware_stays else ()),
        (memmap.LOW_DRAM_END, memmap.HIGH_DRAM, "the board", "the legacy hole"),
        (memory, memmap.PHYSICAL_END, "the board", "beyond the end of all memory"),
    )
    return tuple(
        Claim(Space.MEMORY, party, "machine.memory", Span.between(base, end - 1), why)
        for base, end, party, why in fixed
    )


def overlapping(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield every two claims to the same thing; one party's claims to its own ports are one claim."""
    for space in Space:
        mine = (claim for claim in claims if claim.space is space)
        for one, other in _overlapping(sorted(mine, key=lambda claim: claim.span.base)):
            if not (space is Space.PORTS and one.party == other.party):
                yield one, other


def _overlapping(ordered: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Sweep upwards: what reaches beyond the start of a claim overlaps it."""
    reaching: list[Claim] = []
    for claim in ordered:
        reaching = [other for other in reaching if other.span.end > claim.span.base]
        yield from ((other, claim) for other in reaching)
        reaching.append(claim)


def clashes(file: str, claims: tuple[Claim, ...]) -> Iterator[Problem]:
    """Yield a problem for every two overlapping claims, put at the one that the config lists later."""
    rank = {claim: index for index, claim in enumerate(claims)}
    pairs = (sorted(pair, key=rank.__getitem__) for pair in overlapping(claims))
    for earlier, later in islice(pairs, CLASHES_MAX):
        yield Problem(file, later.key, f"{later} overlaps {earlier} ({earlier.key})")
    if next(pairs, None):
        yield Problem(file, "", f"more than {CLASHES_MAX} clashes; the others are not listed")
