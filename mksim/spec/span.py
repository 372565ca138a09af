"""Spans: the one way mksim says "from here to there", of memory, ports and whatever else has addresses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mksim.spec.memmap import PAGE, PAGE_SHIFT


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`size` addresses from `base` on; never empty. Printed as maps are read: both ends inclusive, in hex."""

    base: int
    size: int

    def __post_init__(self) -> None:
        if self.base < 0 or self.size <= 0:
            raise ValueError(f"no span has base {self.base:#x} and size {self.size:#x}")

    @classmethod
    def between(cls, first: int, last: int) -> "Span":
        """Return the span of both addresses and all between them."""
        return cls(first, last - first + 1)

    @classmethod
    def hull(cls, spans: Iterable["Span"]) -> "Span":
        """Return the smallest span that holds them all; there must be one at least."""
        spans = tuple(spans)
        return cls.between(min(span.base for span in spans), max(span.last for span in spans))

    @property
    def end(self) -> int:
        """One past the last address."""
        return self.base + self.size

    @property
    def last(self) -> int:
        return self.base + self.size - 1

    @property
    def pages(self) -> slice:
        """The page frames that the span touches, to index an array of pages."""
        return slice(self.base >> PAGE_SHIFT, (self.last >> PAGE_SHIFT) + 1)

    @property
    def aligned(self) -> bool:
        """Whether the span is made of whole pages."""
        return self.base % PAGE == 0 and self.size % PAGE == 0

    def __contains__(self, address: int) -> bool:
        return self.base <= address < self.end

    def __str__(self) -> str:
        return f"{self.base:#x}-{self.last:#x}"

    def holds(self, other: "Span") -> bool:
        return self.base <= other.base and other.end <= self.end

    def overlaps(self, other: "Span") -> bool:
        return self.base < other.end and other.base < self.end

    def moved(self, offset: int) -> "Span":
        return Span(self.base + offset, self.size)

    def common(self, other: "Span") -> "Span | None":
        """Return what both have; None if that is nothing."""
        if not self.overlaps(other):
            return None
        return Span.between(max(self.base, other.base), min(self.last, other.last))

    def without(self, other: "Span") -> Iterator["Span"]:
        """Yield what is left of this span, in order, when `other` is cut out of it."""
        if not self.overlaps(other):
            yield self
            return
        if self.base < other.base:
            yield Span.between(self.base, other.base - 1)
        if other.end < self.end:
            yield Span.between(other.end, self.last)


def align_up(value: int, alignment: int) -> int:
    """Return the lowest multiple of `alignment` that is not below `value`."""
    return -(-value // alignment) * alignment


def align_down(value: int, alignment: int) -> int:
    """Return the highest multiple of `alignment` that is not above `value`."""
    return value // alignment * alignment
