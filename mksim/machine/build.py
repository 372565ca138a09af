"""The parts list: from a layout to a board with its chips, cores and engines in their sockets.

The only module that knows everything. It reads from top to bottom as one would assemble the machine.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mksim.engine import panel
from mksim.engine.board import Board
from mksim.engine.engine import Engine, Region
from mksim.engine.records import (
    FOREIGN,
    HOLE,
    IO_APIC,
    IOMMU_UNIT,
    LOCAL_APIC,
    PCI_ECAM,
    PCI_SPACE,
    ROM_IMAGE,
    RUNNING,
    TIMER_BLOCK,
    WAIT_FOR_SIPI,
)
from mksim.errors import FileError
from mksim.fabric.ownership import FIRMWARE, NOBODY, Rights
from mksim.machine.chips import firmware_items, plug_chips, plug_items
from mksim.machine.config import Layout, Protection
from mksim.machine.deeds import ownership
from mksim.machine.disks import forgotten
from mksim.machine.fit import uncovered
from mksim.machine.networks import network_devices
from mksim.spec import cpuid, memmap
from mksim.spec.span import Span

ROM_PATH = Path(__file__).parents[2] / "build/firmware/rom.bin"

RTC_EPOCH = 1_767_225_600
"""2026-01-01 00:00:00 UTC: every machine starts on that day, so that no run depends on when it is."""


def read_rom(path: Path = ROM_PATH) -> np.ndarray:
    """Return the ROM's bytes; FileError if it was not built."""
    try:
        rom = np.fromfile(path, np.uint8)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}; the firmware is built by: make firmware") from error
    if len(rom) != memmap.ROM_SIZE:
        raise FileError(f"{path}: {len(rom):#x} bytes, but the ROM has {memmap.ROM_SIZE:#x}: make firmware")
    return page_aligned(rom)


def page_aligned(data: np.ndarray) -> np.ndarray:
    """Return a copy that starts on a page of the host, as a direct mapping needs."""
    copy = np.frombuffer(mmap.mmap(-1, len(data)), np.uint8)
    copy[:] = data
    return copy


def build_board(layout: Layout, seed: int) -> Board:
    """Return the board of a layout: all chips after power-on, memory empty."""
    deeds = ownership(layout)
    deeds.own(Span(memmap.ROM_ALIAS, memmap.ROM_SIZE), FIRMWARE)
    rows = cpuid.rows(
        rate=layout.rate, cores=len(layout.apic_ids), apic_id_bits=max(layout.apic_ids).bit_length()
    )
    fw_items, fw_data, counts = firmware_items(layout)
    board = Board(
        deeds, memory=layout.dram, cores=len(layout.apic_ids), kernels=len(layout.kernels),
        uarts=sum(len(kernel.uarts) for kernel in layout.kernels), ioapics=layout.ioapics, rows=rows,
        fw_items=fw_items, fw_data=fw_data, functions=segment_count(layout) + len(layout.devices),
        devices=len(layout.devices), disk_bytes=forgotten(layout), iommus=len(layout.iommus),
        nics=len(tuple(network_devices(layout.devices))),
    )  # fmt: skip
    plug_items(board, counts)
    machine = board.machine
    machine["rate"], machine["latency"] = layout.rate, layout.latency
    machine["guard"] = layout.protection is Protection.GUARD
    machine["random"] = (seed * 2 + 1) * 0x9E3779B97F4A7C15 % (1 << 63)
    plug_chips(board, layout)
    plug_cores(board, layout)
    panel.power_up(board.address, RTC_EPOCH)
    return board


def segment_count(layout: Layout) -> int:
    """Return how many PCI segments there are: one at least, be it nobody's."""
    return max(layout.segments.values(), default=0) + 1


def plug_cores(board: Board, layout: Layout) -> None:
    """Put the cores in their sockets: the BSP at the reset vector, all others waiting for a SIPI."""
    homes = {core: kernel.id for kernel in layout.kernels for core in kernel.cores}
    boot_cores = {kernel.boot_core for kernel in layout.kernels}
    firmware = len(layout.kernels)
    for index, apic_id in enumerate(layout.apic_ids):
        core = board.cores[index]
        core["home"] = homes.get(index, NOBODY)
        at_firmware = index == 0 or index in boot_cores or index not in homes
        core["owner"] = FIRMWARE if at_firmware else core["home"]
        core["engine"] = board.engine_of[index] = firmware if at_firmware else core["home"]
        core["apic_id"], core["line"], core["state"] = apic_id, -1, WAIT_FOR_SIPI
        core["misc_enable"] = 1  # fast strings
    board.cores[0]["state"], board.wake[0] = RUNNING, 0


def build_engines(board: Board, layout: Layout, rom: np.ndarray) -> list[Engine]:
    """Return one engine for each kernel, and the firmware's last."""
    names = [kernel.name for kernel in layout.kernels] + ["the firmware"]
    engines = [Engine(board.engines[number : number + 1], name) for number, name in enumerate(names)]
    watched = np.zeros(len(board.deeds.pages), bool)
    for window in layout.windows:
        watched[window.span.pages] |= window.watch
    for number, engine in enumerate(engines):
        shown = layout.kernels[number].tables.base if number < len(layout.kernels) else None
        map_rom(engine, rom, None if shown is None else board.memory[shown:])
        rights = board.deeds.rights[number] if number < len(layout.kernels) else firmware_rights(layout)
        direct = np.where(watched, np.uint8(0), rights) if number < len(layout.kernels) else rights
        engine.plug_memory(board.memory, rights, direct)
        map_dram(engine, board.memory, direct, screen=layout.screen_owner is not None)
        map_test_memory(engine, board.test_memory[number])
        map_chips(engine, layout)
    return engines


def firmware_rights(layout: Layout) -> np.ndarray:
    """Return the rights of the firmware, which must reach everything before anything is anybody's."""
    return np.full(layout.dram >> memmap.PAGE_SHIFT, Rights.ALL, np.uint8)


def map_rom(engine: Engine, rom: np.ndarray, tables: np.ndarray | None) -> None:
    """Map the ROM and its alias: readable and executable for all, since every core starts in it.

    In a page of the alias that the ROM has no need of, a kernel finds its own tables.
    """
    shown = Span(memmap.BIOS_TABLES, memmap.PAGE)
    for base in (memmap.ROM, memmap.ROM_ALIAS):
        whole = Span(base, memmap.ROM_SIZE)
        for span in whole.without(shown) if tables is not None else (whole,):
            engine.map_memory(span, rom[span.base - base :], Rights.R | Rights.X)
        engine.protect(Region(whole, ROM_IMAGE))
    if tables is not None:
        engine.map_memory(shown, tables, Rights.R)


def map_dram(engine: Engine, memory: np.ndarray, rights: np.ndarray, *, screen: bool) -> None:
    """Map what the rights allow directly; the rest of DRAM is a region that records or refuses."""
    for span, granted in runs(rights):
        for part in dram_parts(span, screen):
            if not granted & Rights.R:  # a page that must not be read needs a callback to say so
                engine.map_region(Region(part, FOREIGN))
            else:
                engine.map_memory(part, memory[part.base : part.end], granted)
                if granted != Rights.ALL:
                    engine.protect(Region(part, FOREIGN))


def runs(rights: np.ndarray) -> Iterator[tuple[Span, int]]:
    """Yield maximal spans of pages with the same rights, and those rights."""
    edges = np.flatnonzero(np.diff(rights)) + 1
    starts = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(rights)]])
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield Span(start << memmap.PAGE_SHIFT, (end - start) << memmap.PAGE_SHIFT), int(rights[start])


def dram_parts(span: Span, screen: bool) -> Iterator[Span]:
    """Yield what of a span is memory: below the legacy hole, above it, and in it a screen if there is one."""
    low_memory, high_memory = (0, memmap.LOW_DRAM_END), (memmap.HIGH_DRAM, memmap.DRAM_LIMIT)
    shown = (memmap.SCREEN, memmap.SCREEN + (memmap.SCREEN_SIZE if screen else 0))
    for base, end in (low_memory, shown, high_memory):
        low, high = max(span.base, base), min(span.end, end)
        if low < high:
            yield Span(low, high - low)


def map_test_memory(engine: Engine, memory: np.ndarray) -> None:
    """Map the test device's memory, which is data to whom it belongs, and never code."""
    span = Span(memmap.TEST_MEMORY, memmap.TEST_MEMORY_SIZE)
    engine.map_memory(span, memory, Rights.R | Rights.W)
    engine.protect(Region(span, HOLE))


def map_chips(engine: Engine, layout: Layout) -> None:
    """Map the chips, and the holes between them where nobody answers."""
    ioapics = [
        Region(Span(memmap.IOAPIC + unit * memmap.IOAPIC_STRIDE, memmap.PAGE), IO_APIC, unit)
        for unit in range(layout.ioapics)
    ]
    timers = Region(Span(memmap.HPET, memmap.PAGE), TIMER_BLOCK)
    ecam = Region(Span(memmap.ECAM, segment_count(layout) * memmap.ECAM_BUS), PCI_ECAM)
    space = Region(Span.between(memmap.PCI_MEMORY, memmap.PCI_MEMORY_END - 1), PCI_SPACE)
    iommus = [
        Region(Span(memmap.IOMMU + unit * memmap.IOMMU_STRIDE, memmap.PAGE), IOMMU_UNIT, unit)
        for unit in range(len(layout.iommus))
    ]
    regions = [*ioapics, *iommus, timers, ecam, space, Region(Span(memmap.LAPIC, memmap.PAGE), LOCAL_APIC)]
    for region in regions:
        engine.map_region(region)
    mapped = [Span(memmap.TEST_MEMORY, memmap.TEST_MEMORY_SIZE), Span(memmap.ROM, memmap.ROM_SIZE)]
    taken = sorted([region.span for region in regions] + mapped)
    base = layout.dram
    for span in [*taken, Span(memmap.PHYSICAL_END, memmap.PAGE)]:
        if base < span.base:
            engine.map_region(Region(Span(base, span.base - base), HOLE))
        base = span.end
    hole = Span.between(memmap.LOW_DRAM_END, memmap.ROM_ALIAS - 1)
    shown = [Span(memmap.SCREEN, memmap.SCREEN_SIZE)] if layout.screen_owner is not None else []
    for span in uncovered(hole, shown):
        engine.map_region(Region(span, HOLE))
