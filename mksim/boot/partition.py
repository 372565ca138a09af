"""From a layout to the partition table's bytes (spec/partition.py): what the firmware is told."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from mksim.boot.image import Protocol
from mksim.boot.layout import Doorbell, Iommu, Kernel, Layout
from mksim.boot.remapping import ROOT, table_address
from mksim.errors import ConfigError, Problem
from mksim.fabric.ownership import Rights, Signal
from mksim.spec import partition as spec
from mksim.spec.memmap import PAGE_SHIFT, PARTITION_TABLE_SIZE
from mksim.spec.span import Span, align_up

PROTOCOLS = {
    Protocol.PVH: spec.PROTOCOL_PVH,
    Protocol.MULTIBOOT: spec.PROTOCOL_MULTIBOOT,
    Protocol.LINUX: spec.PROTOCOL_LINUX,
}
DELIVERIES = {
    Signal.NMI: spec.DELIVERY_NMI,
    Signal.INIT: spec.DELIVERY_INIT,
    Signal.SIPI: spec.DELIVERY_SIPI,
}

Record: TypeAlias = tuple[Any, ...]


class Strings:
    """The string pool under construction; equal strings are stored once."""

    def __init__(self) -> None:
        self.pool = bytearray(1)
        self._offsets = {"": 0}

    def add(self, text: str) -> int:
        """Return the offset of `text` in the pool; a NUL in it ends it for the reader."""
        if text not in self._offsets:
            self._offsets[text] = len(self.pool)
            self.pool += text.encode(errors="surrogateescape") + b"\0"  # a file's name may be any bytes
        return self._offsets[text]


def partition_table(layout: Layout) -> bytes:
    """Return the table, for `memmap.PARTITION_TABLE`; ConfigError where the layout does not fit in it."""
    if problems := tuple(_problems(layout)):
        raise ConfigError(problems)
    table = _assemble(layout, _arrays(layout))
    if len(table) > PARTITION_TABLE_SIZE:
        raise ConfigError([_problem(layout, _too_big(len(table)))])
    return table


def _problems(layout: Layout) -> Iterator[Problem]:
    if len(layout.apic_ids) > spec.CORES_MAX:
        yield _problem(layout, f"{len(layout.apic_ids)} cores, but the firmware can start {spec.CORES_MAX}")
    for name in [kernel.name for kernel in layout.kernels] + [window.name for window in layout.windows]:
        if len(name.encode()) >= spec.NAME_SIZE:
            yield _problem(layout, f"the name {name!r} is longer than {spec.NAME_SIZE - 1} bytes")


def _problem(layout: Layout, text: str) -> Problem:
    return Problem(file=str(layout.path), key="", text=text)


def _too_big(size: int) -> str:
    return (
        f"the partition table has {size:#x} bytes, but {PARTITION_TABLE_SIZE:#x} is all the firmware reads: "
        "fewer or shorter command lines, doorbells, windows or kernels are needed"
    )


def _arrays(layout: Layout) -> dict[str, np.ndarray]:
    """Return the table's arrays by their names in the header, in the order of the header."""
    strings = Strings()
    arrays = {
        "kernels": np.array(list(_kernels(layout, strings)), spec.KERNEL),
        "cores": np.array(list(_cores(layout)), spec.CORE),
        "spans": np.array([(s.base, s.size) for k in layout.kernels for s in k.memory], spec.SPAN),
        "windows": np.array(list(_windows(layout, strings)), spec.WINDOW),
        "grants": np.array(list(_grants(layout)), spec.GRANT),
        "doorbells": np.array(list(_doorbells(layout)), spec.DOORBELL),
        "modules": np.array(list(_modules(layout, strings)), spec.MODULE),
        "uarts": np.array(list(_uarts(layout)), spec.UART),
        "iommus": np.array(list(_iommus(layout)), spec.IOMMU_UNIT),
    }
    return arrays | {"strings": np.frombuffer(bytes(strings.pool), "u1")}


def _kernels(layout: Layout, strings: Strings) -> Iterator[Record]:
    first_span = first_module = first_uart = 0
    for kernel in layout.kernels:
        yield (
            strings.add(kernel.name),
            strings.add(kernel.arguments),
            spec.KERNEL_LEGACY * kernel.legacy | spec.KERNEL_VGA * kernel.vga,
            PROTOCOLS[kernel.image.protocol],
            kernel.entry,
            *_extent(kernel.parameters),
            *_extent(kernel.tables),
            *_extent(kernel.low_page),
            kernel.cores[0],
            first_span,
            len(kernel.memory),
            first_module,
            len(kernel.modules),
            *_console(kernel),
            first_uart,
            len(kernel.uarts),
            spec.NOBODY if kernel.ioapic is None else kernel.ioapic,
            layout.segments.get(kernel.name, spec.NOBODY),
        )
        first_span += len(kernel.memory)
        first_module += len(kernel.modules)
        first_uart += len(kernel.uarts)


def _extent(span: Span | None) -> tuple[int, int]:
    return (0, 0) if span is None else (span.base, span.size)


def _console(kernel: Kernel) -> tuple[int, int]:
    return (0, 0) if kernel.console is None else (kernel.console.base, kernel.console.irq or 0)


def _uarts(layout: Layout) -> Iterator[Record]:
    ids, peers = _ids(layout.kernels), {}
    for wire in layout.wires:
        for end, other in (wire.ends, wire.ends[::-1]):
            peers[end.kernel, end.uart] = ids[other.kernel]
    for kernel in layout.kernels:
        for uart in kernel.uarts:
            yield uart.index + 1, uart.base, uart.irq or 0, peers.get((kernel.name, uart.index), spec.NOBODY)


def _iommus(layout: Layout) -> Iterator[Record]:
    kernels = {kernel.name: kernel for kernel in layout.kernels}
    ids = _ids(layout.kernels)
    for unit in layout.iommus:
        kernel = None if unit.kernel is None else kernels[unit.kernel]
        none = kernel is None or kernel.ioapic is None
        yield (
            spec.NOBODY if unit.owner is None else ids[unit.owner],
            spec.NOBODY if none or kernel is None else kernel.ioapic,
            spec.IOMMU_REMAPS * unit.remaps,
            0,
            *_remapping_tables(layout, unit, kernel),
        )


def _remapping_tables(layout: Layout, unit: Iommu, kernel: Kernel | None) -> tuple[int, int]:
    """Return where the firmware finds a unit's root table and, as IRTA_REG has it, that of interrupts."""
    if unit.tables is None or kernel is None:
        return 0, 0
    apic_ids = [layout.apic_ids[core] for core in kernel.cores]
    interrupts = table_address(unit.tables.base, apic_ids, unit.interrupt_pages)
    return unit.tables.base + ROOT, interrupts if unit.remaps else 0


def _cores(layout: Layout) -> Iterator[Record]:
    owners = {core: index for index, kernel in enumerate(layout.kernels) for core in kernel.cores}
    for core, apic_id in enumerate(layout.apic_ids):
        yield apic_id, owners.get(core, spec.NOBODY)


def _windows(layout: Layout, strings: Strings) -> Iterator[Record]:
    for window in layout.windows:
        yield window.span.base, window.span.size, strings.add(window.name), 0


def _modules(layout: Layout, strings: Strings) -> Iterator[Record]:
    for kernel in layout.kernels:
        for module in kernel.modules:
            yield module.span.base, module.span.size, strings.add(module.cmdline), 0


def _grants(layout: Layout) -> Iterator[Record]:
    ids = _ids(layout.kernels)
    for index, window in enumerate(layout.windows):
        for name, rights in window.rights.items():
            if rights != Rights.NONE:
                yield index, ids[name], int(rights)


def _doorbells(layout: Layout) -> Iterator[Record]:
    ids = _ids(layout.kernels)
    for doorbell in layout.doorbells:
        for delivery, first, last in _deliveries(doorbell):
            yield ids[doorbell.sender], ids[doorbell.receiver], delivery, first, last, 0


def _deliveries(doorbell: Doorbell) -> Iterator[tuple[int, int, int]]:
    """Yield delivery mode, first and last vector of each kind of message that a doorbell grants."""
    if doorbell.vectors:
        yield spec.DELIVERY_FIXED, doorbell.vectors[0], doorbell.vectors[-1]
    for signal, delivery in DELIVERIES.items():
        if signal in doorbell.signals:
            # A SIPI's vector names a page, not an interrupt: a grant of SIPIs grants them all.
            yield delivery, 0, 255 if signal is Signal.SIPI else 0


def _ids(kernels: Sequence[Kernel]) -> dict[str, int]:
    return {kernel.name: index for index, kernel in enumerate(kernels)}


def _assemble(layout: Layout, arrays: dict[str, np.ndarray]) -> bytes:
    header = np.zeros(1, spec.HEADER)
    header["magic"], header["version"] = spec.PARTITION_MAGIC, spec.PARTITION_VERSION
    header["rate"], header["ioapics"] = layout.rate, layout.ioapics
    header["dram_pages"] = layout.dram >> PAGE_SHIFT
    size = spec.HEADER.itemsize
    for name, array in arrays.items():
        header[name] = (size, len(array))
        size = align_up(size + array.nbytes, 8)
    header["size"] = size
    body = b"".join(_padded(array.tobytes()) for array in arrays.values())
    return _sealed(header, body)


def _padded(data: bytes) -> bytes:
    return data.ljust(align_up(len(data), 8), b"\0")


def _sealed(header: np.ndarray, body: bytes) -> bytes:
    """Return header and body with the checksum that makes all 32-bit words sum to zero."""
    words = np.frombuffer(header.tobytes() + body, "<u4")
    header["checksum"] = -int(words.sum(dtype=np.uint64)) & 0xFFFFFFFF
    return header.tobytes() + body
