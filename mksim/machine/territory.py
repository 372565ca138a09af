"""Where in memory everybody lies: first where the config says, then where images must be, then the rest.

Within each class the config's order decides, so the same config always gives the same map.
"""

from collections.abc import Sequence

from mksim.boot.image import Protocol
from mksim.machine.config import Module, own_needs
from mksim.machine.draft import NO_IMAGE, Draft, Drafts, WindowDraft
from mksim.machine.fit import load_offset, usable
from mksim.machine.placement import Room, natural_alignment
from mksim.machine.schema import Problems
from mksim.spec.memmap import FIRMWARE_RAM, HIGH_DRAM, LOW_PAGES, PAGE
from mksim.spec.partition import TABLES_SIZE
from mksim.spec.span import Span, align_down, align_up

LOW = Span.between(LOW_PAGES, FIRMWARE_RAM - 1)
LOW_PARAMETERS = 0x9000
"""Where QEMU puts a multiboot kernel's parameters (hw/i386/multiboot.c), and kernels leave them alone."""


def place(drafts: Drafts, windows: Sequence[WindowDraft], memory: int, problems: Problems) -> None:
    """Give each kernel and each window its memory, and each kernel its low page."""
    room = Room([Span(HIGH_DRAM, memory - HIGH_DRAM), LOW])
    wanted = [*(span for draft in drafts for span in draft.wanted), *(window.wanted for window in windows)]
    for span in wanted:
        if isinstance(span, Span):
            room.take(span)
    high = Room(span for span in room.free if span.base >= HIGH_DRAM)
    _place_kernels(drafts, high, problems)
    _place_windows(windows, high, problems)
    _give_low_pages(drafts, Room(span for span in room.free if span.base < HIGH_DRAM), problems)


def _place_kernels(drafts: Drafts, room: Room, problems: Problems) -> None:
    for draft in drafts:
        _pin(draft, room)
    for draft in drafts:
        for index, asked in enumerate(draft.wanted):
            if isinstance(asked, int):
                first = not any(_high(span) for span in draft.wanted[:index])
                draft.wanted[index] = _placed(draft, asked, first, room, problems)
        draft.memory = _first_high([span for span in draft.wanted if isinstance(span, Span)])


def _high(span: Span | int | None) -> bool:
    return isinstance(span, Span) and span.base >= HIGH_DRAM


def _first_high(spans: list[Span]) -> tuple[Span, ...]:
    """Return spans as listed, but those below 1 MiB last: the first is where image and tables go."""
    return tuple(sorted(spans, key=lambda span: span.base < HIGH_DRAM))


def _pin(draft: Draft, room: Room) -> None:
    """Put the first size to be placed where an image lies that cannot move, unless a given range holds it."""
    base = draft.image.span.base
    held = any(isinstance(span, Span) and base in span for span in draft.wanted)
    if draft.image is NO_IMAGE or draft.image.relocation is not None or held:
        return
    for index, size in enumerate(draft.wanted):
        if isinstance(size, int):
            draft.wanted[index] = room.take(Span(align_down(base, PAGE), size))
            return


def _placed(draft: Draft, size: int, first: bool, room: Room, problems: Problems) -> Span | None:
    """Take room for a kernel; for the first span of an image that moves, where its note allows."""
    align, minimum = natural_alignment(size), 0
    if first and draft.image.relocation is not None:
        align, minimum = max(align, draft.image.relocation.align), draft.image.relocation.minimum
    span = room.lowest(size, align, minimum)
    if span is None:
        problems.add(draft.key("memory"), _no_room(size, align, minimum, room))
    return span


def _no_room(size: int, align: int, minimum: int, room: Room) -> str:
    above = f" at or above {minimum:#x}" if minimum else ""
    return (
        f"finds no {size:#x} bytes aligned to {align:#x}{above}: "
        f"the largest free span of machine.memory has {room.largest:#x}"
    )


def _place_windows(windows: Sequence[WindowDraft], room: Room, problems: Problems) -> None:
    for window in windows:
        window.span = window.wanted if isinstance(window.wanted, Span) else None
        if isinstance(window.wanted, int):
            align = natural_alignment(window.wanted)
            window.span = room.lowest(window.wanted, align)
            if window.span is None:
                problems.add(f"{window.where}.memory", _no_room(window.wanted, align, 0, room))


def _give_low_pages(drafts: Drafts, room: Room, problems: Problems) -> None:
    """Give a page for SIPIs to every kernel, as long as they last; those with several cores come first."""
    for draft in sorted(drafts, key=lambda draft: len(draft.cores) < 2):
        size, minimum = draft.image.low.size, draft.image.low.minimum
        draft.low_page = _own_low_page(draft) or room.lowest(size, PAGE, minimum)
        if draft.low_page is None and len(draft.cores) > 1:
            where = draft.key("cores")
            problems.add(where, f"finds no {size:#x} bytes left in {LOW} to start its other cores from")


def _own_low_page(draft: Draft) -> Span | None:
    """Return where a kernel starts its cores from in low memory given by the config; less if need be."""
    room = Room(draft.memory).within(LOW)
    for segment in draft.image.segments:
        room.take(segment.span)
    size, minimum = draft.image.low.size, draft.image.low.minimum
    if not room.free:
        return None
    return room.lowest(size, PAGE, minimum) or room.lowest(min(size, room.largest), PAGE)


def load(draft: Draft, problems: Problems) -> None:
    """Work out where in its memory a kernel's image, its modules and its parameters go."""
    if draft.image is NO_IMAGE or not draft.memory or draft.memory[0].size <= TABLES_SIZE:
        return
    draft.load_offset = load_offset(draft.image, draft.memory[0])
    room = Room(usable(draft.memory))
    if draft.low_page is not None:
        room.take(draft.low_page)
    for segment in draft.image.segments:
        room.take(segment.span.moved(draft.load_offset))
    draft.modules = tuple(_loaded(draft, room, problems))
    if draft.image.protocol is Protocol.MULTIBOOT:
        size = align_up(own_needs(draft.kernel(0)), PAGE)
        draft.low_parameters = room.within(LOW).lowest(size, PAGE, LOW_PARAMETERS)


def _loaded(draft: Draft, room: Room, problems: Problems) -> list[Module]:
    """Put modules as high as they go, so that the memory behind the image stays free, as QEMU does.

    Multiboot kernels get theirs right behind the image, again as from QEMU: many map just some megabytes.
    """
    modules = []
    behind = align_up(draft.image.span.end, PAGE) if draft.image.protocol is Protocol.MULTIBOOT else None
    for path, cmdline, data in draft.files:
        size = align_up(len(data), PAGE)
        pages = room.highest(size, PAGE) if behind is None else room.lowest(size, PAGE, behind)
        if pages:
            span = Span(pages.base, len(data))
            modules.append(Module(path=path, cmdline=cmdline, span=span, data=data))
        else:
            have = f"beside image and tables its memory has {room.largest:#x} at a stretch"
            problems.add(draft.key("modules"), f"{path} has {size:#x} bytes, but {have}")
    return modules
