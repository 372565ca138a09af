"""The IOMMU of a board: a unit for each PCI segment, whose it is, and where the firmware keeps its tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mksim.spec.memmap import DRAM_LIMIT, PAGE
from mksim.spec.pci import SEGMENTS_MAX
from mksim.spec.span import Span

FIRMWARE, EACH = "firmware", "each"
"""Owners that are no kernels: the firmware sets all up; or each kernel has the unit of its own segment."""

_FIXED_PAGES = 3
"""Root table, context table, and the topmost table of pages."""
_LARGE, _HUGE = 2 << 20, 1 << 30
_AREAS = 4
"""Spans beside a kernel's own and its windows that it has rights to: BIOS data, its low page, the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Iommu:
    """What a config says of it."""

    owner: str = FIRMWARE
    """FIRMWARE, EACH, or a kernel that has all units."""
    interrupt_remapping: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: all DMA of one segment goes through it, and the interrupts of its kernel's I/O APIC."""

    kernel: str | None
    """Whose segment it is for."""
    owner: str | None
    """The kernel that programs it; None: the firmware does."""
    remaps: bool
    """Whether it remaps interrupts."""
    tables: Span | None
    """Where the firmware keeps what it needs, above the DRAM that the config speaks of."""
    interrupt_pages: int
    """Of the interrupt remapping table in there: one for each core, and as many as make a power of two."""


class Owner(Protocol):
    """What of a kernel its unit depends on."""

    @property
    def name(self) -> str: ...
    @property
    def cores(self) -> Sequence[int]: ...
    @property
    def owned(self) -> Sequence[Span]: ...


def units(
    iommu: Iommu | None, kernels: Sequence[Owner], segments: Mapping[str, int], windows: int, memory: int
) -> Iterator[Unit]:
    """Yield the unit of each segment, in order; with their tables one after another from `memory` on."""
    if iommu is None:
        return
    by_segment = {segment: name for name, segment in segments.items()}
    by_name = {kernel.name: kernel for kernel in kernels}
    for segment in range(max(by_segment, default=0) + 1):
        kernel = by_name.get(by_segment.get(segment, ""))
        name, tables, pages = None if kernel is None else kernel.name, None, 0
        if iommu.owner == FIRMWARE and kernel is not None:
            pages = 1 << (len(kernel.cores) - 1).bit_length()
            tables = Span(memory, (pages + table_pages(kernel, windows, memory)) * PAGE)
            memory = tables.end
        owner = {FIRMWARE: None, EACH: name}.get(iommu.owner, iommu.owner)
        yield Unit(
            kernel=name, owner=owner, remaps=iommu.interrupt_remapping, tables=tables, interrupt_pages=pages
        )


def misowned(
    iommu: Iommu | None, kernels: Sequence[Owner], dram: int = 0, count: int = 0
) -> Iterator[tuple[str, str]]:
    """Yield the key, and why, where the owner is nobody, or memory with all tables or units are too much."""
    known = {FIRMWARE, EACH, *(kernel.name for kernel in kernels)}
    if iommu is not None and iommu.owner not in known:
        yield "iommu.owner", f'names {iommu.owner}, which is no kernel, nor "{FIRMWARE}" or "{EACH}"'
    if count > SEGMENTS_MAX:
        why = f"needs {count} units, one for each kernel with devices or I/O APIC: {SEGMENTS_MAX} fit"
        yield "iommu", why
    if dram > DRAM_LIMIT:
        yield "machine.memory", f"leaves no room for the IOMMU's tables, which would end at {dram:#x}"


def end_of_tables(units: Iterable[Unit], memory: int) -> int:
    """Return where the tables end that the firmware keeps above memory."""
    return max((unit.tables.end for unit in units if unit.tables), default=memory)


def table_pages(kernel: Owner, windows: int, memory: int) -> int:
    """Return an upper bound of pages of tables: both ends of a span may each need one of small pages."""
    ends = 2 * (len(kernel.owned) + windows + _AREAS)
    return _FIXED_PAGES + -(-memory // _HUGE) + min(ends, -(-memory // _LARGE))
