"""Room: what is still free, and where in it a request goes. Deterministic: the lowest place that fits."""

from collections.abc import Iterable, Iterator

from mksim.spec.memmap import PAGE
from mksim.spec.span import Span, align_down, align_up

LARGE = 0x200000
"""Requests of this size or more are aligned to it, so that kernels can map them with large pages."""


def natural_alignment(size: int) -> int:
    """Return how a request of this size is aligned if nothing else is said."""
    return LARGE if size >= LARGE else PAGE


class Room:
    """Disjoint free spans, in order."""

    def __init__(self, free: Iterable[Span]) -> None:
        self.free = sorted(free)

    def take(self, span: Span) -> Span:
        """Make a span occupied, whether or not all of it was free."""
        self.free = [rest for free in self.free for rest in free.without(span)]
        return span

    def within(self, span: Span) -> "Room":
        """Return what is free of a span, as a room of its own."""
        return Room(part for free in self.free if (part := free.common(span)))

    def lowest(self, size: int, align: int, minimum: int = 0) -> Span | None:
        """Take the lowest free span of a size, aligned and not below `minimum`; None if there is none."""
        bases = (align_up(max(free.base, minimum), align) for free in self.free)
        return self._first(zip(bases, self.free, strict=True), size)

    def highest(self, size: int, align: int) -> Span | None:
        """Take the highest free span of a size, aligned; None if there is none."""
        free = self.free[::-1]
        bases = (align_down(span.end - size, align) for span in free)
        return self._first(zip(bases, free, strict=True), size)

    def _first(self, places: Iterator[tuple[int, Span]], size: int) -> Span | None:
        for base, free in places:
            if base in free and base + size <= free.end:
                return self.take(Span(base, size))
        return None

    @property
    def largest(self) -> int:
        """Bytes of the largest free span."""
        return max((span.size for span in self.free), default=0)
