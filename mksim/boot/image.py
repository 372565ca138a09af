"""The seam between image formats and the machine: whatever the file, this is what a kernel's image is.

A format is a module with `recognise(data) -> Image | None`: None where the header is not its own, ImageError
where it is but cannot be loaded. `mksim.boot.formats` asks them in turn; a new format is one more line there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from mksim.errors import ImageError
from mksim.fabric.ownership import Rights
from mksim.spec.memmap import PAGE
from mksim.spec.span import Span

LOAD_LIMIT = 1 << 32
"""All of an image lies below 4 GiB: the firmware that enters it is 32-bit code."""


class Protocol(Enum):
    """How the firmware hands over: which registers and structures the image expects at its entry."""

    PVH = "pvh"
    MULTIBOOT = "multiboot"
    LINUX = "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes to place at `span`; where `data` is shorter than the span, zeros follow."""

    span: Span
    virtual: int
    """The address that the image was linked for; symbols count in these."""
    data: memoryview = field(repr=False)
    rights: Rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """The image runs wherever its first byte is aligned so, and all of it lies within these addresses."""

    align: int
    minimum: int
    maximum: int
    """Of the last byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowMemory:
    """What a kernel wants below 1 MiB."""

    size: int = PAGE
    """Bytes of its own, to start its other cores from."""
    minimum: int = 0
    """Where they lie at the lowest."""
    bios_data: bool = False
    """It looks for tables in a BIOS's data areas, and keeps its warm reset vector there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A kernel as its file describes it: at the addresses it was linked for, before any relocation.

    Segments are disjoint, ordered by address, below 4 GiB, and the entry lies in one of them.
    """

    protocol: Protocol
    entry: int
    segments: tuple[Segment, ...]
    relocation: Relocation | None = None
    parameters: int = 0
    """Where the protocol's own structure lies in a segment, for the firmware to fill in; 0 if it has none."""
    low: LowMemory = LowMemory()
    raw: memoryview = field(repr=False)
    """The whole file, for symbols."""

    def __post_init__(self) -> None:
        if not any(self.entry in segment.span for segment in self.segments):
            raise ImageError(f"its entry {self.entry:#x} lies outside all that is loaded, {self.span}")

    @property
    def span(self) -> Span:
        """From the first byte of the first segment to the last of the last."""
        return Span.hull(segment.span for segment in self.segments)


def in_order(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return segments by address; ImageError unless there are some, they are apart and below 4 GiB."""
    ordered = tuple(sorted(segments, key=lambda segment: segment.span))
    if not ordered:
        raise ImageError("nothing to load: it has no PT_LOAD segment")
    for one, other in pairwise(ordered):
        if one.span.overlaps(other.span):
            raise ImageError(f"its segments {one.span} and {other.span} overlap")
    if (highest := ordered[-1].span).end > LOAD_LIMIT:
        raise ImageError(f"its segment {highest} does not lie below {LOAD_LIMIT:#x}")
    return ordered
