"""Wires of a layout: null modems between two UARTs, and where their ends are plugged in."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireEnd:
    """One end of a wire: a UART of a kernel's."""

    kernel: str
    uart: int
    """0 is COM1."""

    def __str__(self) -> str:
        return f"{self.kernel}:com{self.uart + 1}"


@dataclass(frozen=True, slots=True)
class Wire:
    """A null modem between two UARTs."""

    ends: tuple[WireEnd, WireEnd]


def loose_ends(wires: Iterable[Wire], owned: Set[WireEnd]) -> Iterator[tuple[str, str]]:
    """Yield every end of a wire that has nothing, or another wire, to be plugged into: the key, and what."""
    taken: dict[WireEnd, str] = {}
    for index, wire in enumerate(wires):
        where = f"wire[{index}].between"
        for end in wire.ends:
            if end not in owned:
                yield where, f"names {end}, but {end.kernel} owns no such UART (its console, its serial)"
            elif end in taken:
                yield where, f"names {end}, where a wire is plugged in already ({taken[end]})"
            taken.setdefault(end, where)
