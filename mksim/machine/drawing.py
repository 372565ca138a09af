"""A layout as text: what each kernel owns, one line per thing to grep for, and the map of memory by owner."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from os.path import normpath
from string import ascii_lowercase, ascii_uppercase, digits

from mksim.machine.config import Doorbell, Kernel, Layout
from mksim.machine.devices import Kind
from mksim.machine.fit import FIRMWARE_WORKS, uncovered
from mksim.machine.units import letters_of, runs
from mksim.spec import memmap
from mksim.spec.span import Span

COLUMNS, ROWS = 64, 16
MARKS = ascii_lowercase + ascii_uppercase + digits
"""One per kernel; beyond these they begin again."""
NOBODY, BOARD, FIRMWARE, WINDOW, SEVERAL = ".", "-", "%", "=", "+"


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """Part of the physical address space with one owner and one use."""

    span: Span
    owner: str
    use: str
    mark: str


def draw(layout: Layout) -> Iterator[str]:
    """Yield the lines of a layout: its parts, then its memory as a picture, then exactly."""
    yield from parts(layout)
    yield ""
    yield from picture(layout)
    yield ""
    yield from ranges(layout)


def parts(layout: Layout) -> Iterator[str]:
    """Yield one line for each kernel, window, doorbell, wire, unit, device: its kind, its name, key=value."""
    yield _line("machine", str(layout.path), _machine(layout))
    for kernel in layout.kernels:
        yield _line("kernel", kernel.name, _kernel(kernel, layout))
    for window in layout.windows:
        granted = {name: letters_of(rights) for name, rights in window.rights.items()}
        yield _line("window", window.name, {"memory": str(window.span), **granted})
    for bell in layout.doorbells:
        yield _line("doorbell", bell.sender, {"to": bell.receiver, "sends": _message(bell)})
    for wire in layout.wires:
        yield _line("wire", str(wire.ends[0]), {"to": wire.ends[1]})
    for segment, unit in enumerate(layout.iommus):
        owner, behind = unit.owner or "(firmware)", unit.kernel or "(nobody)"
        keys = {"owner": owner, "devices_of": behind, "interrupts": str(unit.remaps).lower()}
        yield _line("iommu", f"{segment:04x}", keys)
    for device in layout.devices:
        at = f"{layout.segments[device.owner]:04x}:00:{device.slot:02x}.0"
        values = {"kind": device.kind.value, "owner": device.owner, "pci": at}
        if device.kind is Kind.NIC:
            values |= {"network": device.network, "mac": device.address.hex(":")}
        yield _line("device", device.name, values)


def _line(kind: str, name: str, values: Mapping[str, object]) -> str:
    return f"{kind:<8} {name:<12} " + " ".join(f"{key}={value}" for key, value in values.items())


def _machine(layout: Layout) -> dict[str, object]:
    return {
        "memory": f"{layout.memory:#x}",
        "cores": len(layout.apic_ids),
        "apic_ids": runs(layout.apic_ids),
        "protection": layout.protection.value,
        "seed": layout.seed,
        "rate": layout.rate,
        "latency": layout.latency,
        "ioapics": layout.ioapics,
    }


def _kernel(kernel: Kernel, layout: Layout) -> dict[str, object]:
    return {
        "cores": runs(kernel.cores),
        "apic_ids": runs(layout.apic_ids[core] for core in kernel.cores),
        "memory": ",".join(str(span) for span in kernel.owned),
        "entry": f"{kernel.entry:#x}",
        "protocol": kernel.image.protocol.value,
        "console": kernel.console.name if kernel.console else "none",
        **({"serial": ",".join(uart.name for uart in kernel.serial)} if kernel.serial else {}),
        "ports": ",".join(_ports(kernel)) or "none",
        "ioapic": "none" if kernel.ioapic is None else kernel.ioapic,
        "expect": f'"{kernel.expect}"',
        "image": normpath(kernel.path),
    }


def _ports(kernel: Kernel) -> Iterator[str]:
    for ports in sorted(kernel.owned_ports, key=lambda ports: ports.start):
        yield f"{ports[0]:#x}" if len(ports) == 1 else f"{ports[0]:#x}-{ports[-1]:#x}"


def _message(bell: Doorbell) -> str:
    if not bell.vectors:
        return str(bell.signals.name).lower()
    first, last = bell.vectors[0], bell.vectors[-1]
    return f"{first:#x}" if first == last else f"{first:#x}-{last:#x}"


def regions(layout: Layout) -> tuple[Region, ...]:
    """Return who owns what of DRAM and the holes in it, in order, without gaps."""
    known = sorted(chain(_board(layout), *map(_kernel_regions, layout.kernels), _windows(layout)))
    return tuple(_filled(known, layout.memory))


def _board(layout: Layout) -> Iterator[Region]:
    owner = layout.screen_owner
    screen = ("board", "legacy hole", BOARD)
    if owner is not None:
        screen = (owner.name, "text screen", MARKS[owner.id % len(MARKS)])
    rows = (
        (0, memmap.LOW_PAGES, "firmware", "interrupt vectors", FIRMWARE),
        (memmap.PARTITION_TABLE, memmap.FIRMWARE_STACKS, "firmware", "partition table", FIRMWARE),
        (memmap.FIRMWARE_STACKS, memmap.LOW_DRAM_END, "firmware", "stacks", FIRMWARE),
        (memmap.LOW_DRAM_END, memmap.SCREEN, "board", "legacy hole", BOARD),
        (memmap.SCREEN, memmap.SCREEN + memmap.SCREEN_SIZE, *screen),
        (memmap.SCREEN + memmap.SCREEN_SIZE, memmap.ROM_ALIAS, "board", "legacy hole", BOARD),
        (memmap.ROM_ALIAS, memmap.HIGH_DRAM, "board", "ROM", BOARD),
    )
    owned = [span for kernel in layout.kernels for span in kernel.owned]
    for base, end, whose, use, mark in rows:
        for piece in uncovered(Span.between(base, end - 1), owned):
            yield Region(piece, whose, use, mark)


def _kernel_regions(kernel: Kernel) -> Iterator[Region]:
    """Yield a kernel's memory by use; what has none yet is the kernel's to use."""
    uses = [(segment.span.moved(kernel.load_offset), "image") for segment in kernel.image.segments]
    uses += [(module.span, f"module {module.path.name}") for module in kernel.modules]
    uses += [(kernel.tables, "firmware's tables for it")]
    uses += [(kernel.low_page, "page for SIPIs")] if kernel.low_page else []
    uses += [(kernel.low_parameters, "multiboot information")] if kernel.low_parameters else []
    uses += [(FIRMWARE_WORKS, "firmware until it is entered")]
    mark = MARKS[kernel.id % len(MARKS)]
    for span in kernel.owned:
        inside = sorted((use, what) for use, what in uses if span.holds(use))
        for piece, what in _split(span, inside):
            yield Region(piece, kernel.name, what, mark)


def _split(span: Span, uses: Sequence[tuple[Span, str]]) -> Iterator[tuple[Span, str]]:
    """Yield a span's used pieces, and those between them; neighbours of one use are one piece."""
    at = span.base
    for what, group in groupby(uses, key=lambda use: use[1]):
        hull = Span.hull(use for use, _ in group)
        if at < hull.base:
            yield Span.between(at, hull.base - 1), ""
        yield hull, what
        at = hull.end
    if at < span.end:
        yield Span.between(at, span.last), ""


def _windows(layout: Layout) -> Iterator[Region]:
    for window in layout.windows:
        granted = ", ".join(f"{name} {letters_of(rights)}" for name, rights in window.rights.items())
        yield Region(window.span, "shared", f"window {window.name}: {granted}", WINDOW)


def _filled(known: Sequence[Region], memory: int) -> Iterator[Region]:
    ends = Region(Span(memory, 1), "", "", "")
    for region, following in pairwise([*known, ends]):
        yield region
        if region.span.end < following.span.base:
            yield Region(Span.between(region.span.end, following.span.base - 1), "nobody", "", NOBODY)


def ranges(layout: Layout) -> Iterator[str]:
    """Yield the map, one line per region."""
    for region in regions(layout):
        span = f"{region.span.base:#010x}-{region.span.last:#010x}"
        yield f"{span} {_size(region.span.size):>8}  {region.mark} {region.owner:<12} {region.use}".rstrip()


def _size(size: int) -> str:
    for unit, shift in (("G", 30), ("M", 20), ("K", 10)):
        if size >> shift and not size & ((1 << shift) - 1):
            return f"{size >> shift}{unit}"
    return f"{size:#x}"


def picture(layout: Layout) -> Iterator[str]:
    """Yield the map drawn to scale: rows of cells, each cell marked with its owner."""
    cell = max(memmap.PAGE, -(-layout.memory // (COLUMNS * ROWS)))
    marks = _cells(regions(layout), cell)
    legend = {region.mark: region.owner for region in regions(layout)}
    named = ", ".join(f"{mark} {owner}" for mark, owner in legend.items())
    yield f"each cell {_size(cell)}: {named}" + (f", {SEVERAL} several" if SEVERAL in marks else "")
    starts = range(0, len(marks), COLUMNS)
    for text, same in groupby(starts, key=lambda start: "".join(marks[start : start + COLUMNS])):
        first, *others = same
        so_on = f" and so on to {(others[-1] + COLUMNS) * cell - 1:#x}" if others else ""
        yield f"{first * cell:#010x} |{text}|{so_on}"


def _cells(known: Sequence[Region], cell: int) -> list[str]:
    marks = [""] * -(-known[-1].span.end // cell)
    for region in known:
        for index in range(region.span.base // cell, region.span.last // cell + 1):
            marks[index] = region.mark if marks[index] in ("", region.mark) else SEVERAL
    return marks
