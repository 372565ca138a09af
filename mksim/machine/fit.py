"""How an image lies in its kernel's memory: where it is moved to, and whether it fits."""

from collections.abc import Iterable, Iterator, Sequence

from mksim.boot.image import Image
from mksim.spec.memmap import FIRMWARE_RAM, HIGH_DRAM, LOW_DRAM_END
from mksim.spec.partition import TABLES_SIZE
from mksim.spec.span import Span, align_up


def tables_of(first: Span) -> Span:
    """Return where in a kernel's first span the firmware puts its ACPI tables and boot structures."""
    return Span(first.end - TABLES_SIZE, TABLES_SIZE)


def load_offset(image: Image, first: Span) -> int:
    """Return what is added to an image's addresses in a kernel with this first span; 0 if it cannot move."""
    if image.relocation is None:
        return 0
    base = align_up(max(first.base, image.relocation.minimum), image.relocation.align)
    return base - image.span.base


FIRMWARE_WORKS = Span.between(FIRMWARE_RAM, LOW_DRAM_END - 1)
"""What is loaded there would not last until a kernel is entered, even if that memory is then the kernel's."""


def usable(memory: Sequence[Span]) -> tuple[Span, ...]:
    """Return where in a kernel's memory something can be loaded: neither in its tables nor in the way."""
    apart = (rest for span in memory for rest in span.without(tables_of(memory[0])))
    return tuple(rest for span in apart for rest in span.without(FIRMWARE_WORKS))


def uncovered(span: Span, by: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of a span when others are cut out."""
    rest: tuple[Span, ...] = (span,)
    for other in by:
        rest = tuple(piece for part in rest for piece in part.without(other))
    return rest


def misfits(image: Image, memory: Sequence[Span], offset: int) -> Iterator[tuple[str, str]]:
    """Yield why an image loaded at an offset does not fit in its kernel's memory: the key, and what."""
    if not memory or memory[0].base < HIGH_DRAM:
        yield "memory", f"has nothing at or above {HIGH_DRAM:#x} for image and tables"
    elif memory[0].size <= TABLES_SIZE:
        yield "memory", f"{memory[0]} holds no more than the firmware's tables, {TABLES_SIZE:#x} bytes"
    else:
        yield from _misfits(image, memory, offset)


def _misfits(image: Image, memory: Sequence[Span], offset: int) -> Iterator[tuple[str, str]]:
    room = usable(memory)
    for segment in image.segments:
        span = segment.span.moved(offset)
        if rest := uncovered(span, room):
            where = f"{rest[0]} is not in {_listed(room)}"
            yield "image", f"segment {span} does not fit: {where}{_why(image, offset)}"
    last = image.span.moved(offset).last
    if image.relocation is not None and last > image.relocation.maximum:
        yield "image", f"ends at {last:#x}, but says it runs only up to {image.relocation.maximum:#x}"


def _listed(room: Sequence[Span]) -> str:
    shown = ", ".join(str(span) for span in room[:4])
    return shown + (", ..." if len(room) > 4 else "") + " (its memory without its tables)"


def _why(image: Image, offset: int) -> str:
    if image.relocation is None:
        return "; it runs only where it was linked, since it has no PVH relocation note"
    return f"; it was moved by {offset:#x}"
