"""The chips of a board in their sockets: what each is connected to, and what a reset of its owner reaches."""

import numpy as np

from mksim.boot.fw_items import items
from mksim.boot.remapping import tables
from mksim.clock.time import NEVER
from mksim.engine import panel
from mksim.engine.board import Board
from mksim.engine.ports import Device
from mksim.fabric.ownership import FIRMWARE, NOBODY
from mksim.hw import pci_config, pci_functions, virtio_net
from mksim.hw.fw_cfg import ITEM
from mksim.machine.config import Kernel, Layout
from mksim.machine.devices import Kind, bases, place
from mksim.machine.disks import plug_disks
from mksim.machine.networks import plug_links, plug_networks
from mksim.machine.wiring import WireEnd
from mksim.spec import acpi_pm as acpi_pm_spec
from mksim.spec import memmap
from mksim.spec import virtio as virtio_spec
from mksim.spec.vga import BLANK, PORTS

_PORTS: tuple[tuple[int, int, Device, int], ...] = (
    (memmap.PORT_PIC_MASTER, 2, Device.PIC, 0),
    (memmap.PORT_PIC_SLAVE, 2, Device.PIC, 2),
    (memmap.PORT_PIT, 4, Device.PIT, 0),
    (memmap.PORT_KEYBOARD, 1, Device.KEYBOARD, 0),
    (memmap.PORT_SYSTEM_CONTROL_B, 1, Device.SYSTEM_CONTROL_B, 0),
    (memmap.PORT_KEYBOARD_CONTROL, 1, Device.KEYBOARD, 4),
    (memmap.PORT_RTC, 2, Device.RTC, 0),
    (memmap.PORT_POST, 1, Device.POST, 0),
    (memmap.PORT_SYSTEM_CONTROL_A, 1, Device.SYSTEM_CONTROL_A, 0),
    (memmap.PORT_TEST_WORD, 4, Device.TEST_WORD, 0),
    (memmap.PORT_TEST_LINES, memmap.TEST_LINES, Device.TEST_LINE, 0),
    (memmap.PORT_DEBUG_CONSOLE, 1, Device.DEBUG_CONSOLE, 0),
    (memmap.PORT_DEBUG_EXIT, 4, Device.DEBUG_EXIT, 0),
    (memmap.PORT_HAND_OFF, 4, Device.HAND_OFF, 0),
    (memmap.PORT_ELCR, 2, Device.ELCR, 0),
    (memmap.PORT_FW_CFG, 2, Device.FW_CFG, 0),
    (memmap.PORT_PM1_EVENT, acpi_pm_spec.BLOCK, Device.PM, 0),
    (memmap.PORT_PCI_ADDRESS, 1, Device.PCI_ADDRESS, 0),
    (memmap.PORT_RESET_CONTROL, 1, Device.RESET_CONTROL, 0),
    (memmap.PORT_PCI_DATA, 4, Device.PCI_DATA, 0),
)


def plug_chips(board: Board, layout: Layout) -> None:
    """Plug in the chips that a board has one of, and each kernel's own."""
    plug_networks(board, layout)
    plug_links(board, layout)
    plug_functions(board, layout)
    plug_disks(board, layout)
    plug_iommus(board, layout)
    seed_entropy(board)
    if layout.screen_owner is not None:
        plug_ports(board, memmap.PORT_VGA, PORTS, Device.VGA, 0)
        clear_screen(board)
    for base, count, device, unit in _PORTS:
        plug_ports(board, base, count, device, unit)
    for kernel in layout.kernels:
        plug_kernel(board, kernel)
    board.kernels[-1]["ioapic"] = -1
    plug_uarts(board, layout)


def plug_functions(board: Board, layout: Layout, owner: str | None = None) -> None:
    """Plug in PCI's functions, or those of one kernel again: host bridges first, in segments' order."""
    segments, ids = layout.segments, {kernel.name: kernel.id for kernel in layout.kernels}
    owners = {segment: name for name, segment in segments.items()}
    bridges = max(owners, default=0) + 1
    for segment in range(bridges):
        if owner in (None, owners.get(segment)):
            whose = ids.get(owners.get(segment, ""), NOBODY)
            pci_functions.host_bridge(board.functions[segment], segment, whose)
    for unit, device in enumerate(layout.devices):
        if owner is None or board.functions[bridges + unit]["owner"] == ids[owner]:
            plug_device(board, layout, unit, owner or device.owner)


def plug_device(board: Board, layout: Layout, unit: int, owner: str) -> int:
    """Plug a device in where its owner, or its heir, has it; return the number of its function."""
    device, segment = layout.devices[unit], layout.segments[owner]
    base = tuple(bases(layout.devices, layout.segments))[unit][owner]
    index = max(layout.segments.values(), default=0) + 1 + unit
    function, where, whose = board.functions[index], place(device, segment), layout.kernel(owner).id
    if device.kind is Kind.EDU:
        pci_functions.edu(function, where, whose, unit, base)
        return index
    if device.kind is Kind.IVSHMEM:
        span = next(window.span for window in layout.windows if window.name == device.window)
        pci_functions.ivshmem(function, where, whose, unit, base, span.base, span.size)
        board.ivshmems[unit]["owner"] = whose
        return index
    kind, queues = VIRTIO[device.kind], queues_of(board, device.kind, unit)
    pci_functions.virtio_device(function, where, whose, unit, base, kind, queues)
    board.nics[unit]["owner"], board.nics[unit]["place"] = whose, where
    return index


VIRTIO = {
    Kind.DISK: pci_config.BLOCK,
    Kind.NIC: pci_config.NIC,
    Kind.CONSOLE: pci_config.CONSOLE,
    Kind.ENTROPY: pci_config.ENTROPY,
}


def queues_of(board: Board, kind: Kind, unit: int) -> int:
    """Return how many queues a virtio device has."""
    if kind is Kind.NIC:
        return int(virtio_net.queues(board.nics[unit]))
    return virtio_spec.CONSOLE_QUEUES if kind is Kind.CONSOLE else 1


def seed_entropy(board: Board) -> None:
    """Let every entropy device begin elsewhere, where the machine's seed says."""
    for unit, source in enumerate(board.entropies):
        source["state"] = (int(board.machine["random"][0]) ^ (unit + 1) * 0x9E3779B97F4A7C15) % (1 << 63) | 1


def plug_ports(board: Board, base: int, count: int, device: Device, unit: int) -> None:
    """Let consecutive ports select consecutive registers of a chip."""
    board.port_device[base : base + count] = device
    board.port_unit[base : base + count] = np.arange(unit, unit + count)


def plug_kernel(board: Board, kernel: Kernel) -> None:
    """Fill in a kernel's own record, and who owns the singletons."""
    record = board.kernels[kernel.id]
    record["boot_core"] = kernel.boot_core
    await_words(record, kernel.expect.text.encode())
    record["ioapic"] = -1 if kernel.ioapic is None else kernel.ioapic
    if kernel.ioapic is not None:
        board.ioapic_owner[kernel.ioapic] = kernel.id
    if kernel.legacy:
        board.machine["legacy_kernel"], board.machine["legacy_core"] = kernel.id, kernel.boot_core


def await_words(record: np.void, text: bytes) -> None:
    """Let a kernel end when its console says so; a prefix falls back to its longest border."""
    record["awaited_size"] = len(text)
    record["awaited"][: len(text)] = np.frombuffer(text, np.uint8)
    for end in range(1, len(text) + 1):
        borders = (size for size in range(end - 1, -1, -1) if text[:size] == text[end - size : end])
        record["fallback"][end - 1] = next(borders)


def firmware_items(layout: Layout) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the items of all kernels' firmware configurations, their bytes, and how many are whose."""
    found, data, counts = [], b"", []
    for kernel in layout.kernels:
        own = list(items(kernel, [layout.apic_ids[core] for core in kernel.cores]))
        counts.append(len(own))
        for key, value in own:
            found.append((key, len(data), len(value)))
            data += value
    return np.array(found, ITEM), np.frombuffer(data, np.uint8), counts


def plug_items(board: Board, counts: list[int]) -> None:
    """Let each kernel's firmware configuration have its own items."""
    records = board.kernels["fw_cfg"]
    records["count"][: len(counts)] = counts
    records["first"][: len(counts)] = np.cumsum([0, *counts[:-1]])


def plug_uarts(board: Board, layout: Layout) -> None:
    """Plug in every kernel's UARTs, and the wires between them."""
    sockets = [(kernel, uart) for kernel in layout.kernels for uart in kernel.uarts]
    units = {WireEnd(kernel.name, uart.index): unit for unit, (kernel, uart) in enumerate(sockets)}
    peers = {units[end]: units[other] for wire in layout.wires for end, other in (wire.ends, wire.ends[::-1])}
    for unit, (kernel, uart) in enumerate(sockets):
        peer, irq = peers.get(unit, -1), -1 if uart.irq is None else uart.irq
        terminal = uart is kernel.console
        board.uart_wires[unit] = (kernel.id, irq, unit, peer, terminal)
        plug_ports(board, uart.base, 8, Device.UART, unit * 8)
    share_lines(board.uart_wires[: len(sockets)])


def share_lines(wires: np.ndarray) -> None:
    """Put the UARTs of one kernel that have the same interrupt into a ring."""
    lines: dict[tuple[int, int], list[int]] = {}
    for unit, (owner, irq) in enumerate(wires[["owner", "irq"]].tolist()):
        if irq >= 0:
            lines.setdefault((owner, irq), []).append(unit)
    for sharers in lines.values():
        wires["sharer"][sharers] = np.roll(sharers, -1)


def plug_iommus(board: Board, layout: Layout) -> None:
    """Plug in the units of the IOMMU, each before a segment, and what is behind them besides functions."""
    ids = {kernel.name: kernel.id for kernel in layout.kernels}
    ioapics = {kernel.name: kernel.ioapic for kernel in layout.kernels}
    for segment, unit in enumerate(layout.iommus):
        board.iommus[segment]["remapping"] = unit.remaps
        board.iommu_owner[segment] = FIRMWARE if unit.owner is None else ids[unit.owner]
        if unit.kernel is not None and (ioapic := ioapics[unit.kernel]) is not None:
            board.ioapic_iommu[ioapic] = segment


def write_tables(board: Board, layout: Layout) -> None:
    """Put the firmware's tables for the IOMMU into memory, as the deeds are."""
    for unit in layout.iommus:
        if unit.tables is not None and unit.kernel is not None:
            kernel = layout.kernel(unit.kernel)
            apic_ids = [layout.apic_ids[core] for core in kernel.cores]
            words = tables(unit.tables.base, board.deeds.rights[kernel.id], apic_ids, unit.interrupt_pages)
            board.memory[unit.tables.base :][: words.nbytes] = words.view(np.uint8)


def clear_screen(board: Board) -> None:
    """Put the VGA into its mode after power-on, and the screen to spaces."""
    panel.power_up_vga(board.address)
    board.memory[memmap.SCREEN :][: memmap.SCREEN_SIZE].view(np.uint16)[:] = BLANK
    board.screen["rest"] = board.screen["latest"] = NEVER
    board.screen["cells"] = BLANK
    board.machine["screen_due"] = 0


def inherit(board: Board, layout: Layout, dead: Kernel, when: int) -> None:
    """Give what a dead kernel had to its heirs, reset."""
    for unit, device in enumerate(layout.devices):
        if device.owner == dead.name and device.heir:
            index = plug_device(board, layout, unit, device.heir)
            panel.reset_device(board.address, index, when)


def reset_chips(board: Board, layout: Layout, kernel: Kernel, when: int) -> None:
    """Pull the reset line of everything that a kernel owns, as it is started again at `when`."""
    plug_functions(board, layout, kernel.name)
    panel.reset_kernel(board.address, kernel.id, when)
    if kernel.vga:
        clear_screen(board)
