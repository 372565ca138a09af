"""Each kernel is told of what it owns, all of it and nothing else; and the firmware writes nowhere else."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from mksim.boot.image import Protocol
from mksim.boot.partition import partition_table
from mksim.fabric.ownership import Rights, Signal
from mksim.machine.config import Kernel, Layout, Uart
from mksim.machine.devices import Device, Kind
from mksim.machine.remapping import EACH, Iommu
from mksim.machine.wiring import WireEnd
from mksim.spec import acpi, handoff, memmap, partition
from mksim.spec.memmap import FIRMWARE_STACKS, PAGE
from mksim.spec.span import Span
from tests.conftest import needs
from tests.firmware import reading
from tests.firmware.bare import Outcome, enter, parked, rom
from tests.firmware.layouts import DRAM, layouts, two_kernels

FLAGS_FORBIDDEN = 1 << 17 | 1 << 10 | 1 << 9 | 1 << 8  # VM, DF, IF, TF
STACK = 512

READERS = {
    Protocol.PVH: (reading.pvh, "EBX"),
    Protocol.MULTIBOOT: (reading.multiboot, "EBX"),
    Protocol.LINUX: (reading.linux, "ESI"),
}
"""What reads the boot structures, and the register that points to them."""
PROTECTED, PAGING = 1, 0x80000000
SIGNALS = {
    Signal.NMI: (partition.DELIVERY_NMI, 0, 0),
    Signal.INIT: (partition.DELIVERY_INIT, 0, 0),
    Signal.SIPI: (partition.DELIVERY_SIPI, 0, 255),
}


def test_nobody_who_searches_the_rom_finds_a_signature_that_is_none() -> None:
    """ACPI 6.4, 5.2.5.1, SMBIOS 3.6, 5.2.1, and the MultiProcessor Specification, 4: on 16 bytes."""
    lines = [rom()[at : at + 16] for at in range(0, memmap.ROM_SIZE, 16)]
    wanted = (b"RSD PTR ", b"_SM_", b"_SM3_", b"_MP_", b"_32_", b"$PIR")
    assert [line for line in lines if line.startswith(wanted)] == []


def boot(layout: Layout, kernel: Kernel, *, bsp: bool = False) -> Outcome:
    return enter(partition_table(layout), layout.apic_ids[kernel.boot_core], bsp=bsp, dram=DRAM)


def tables(kernel: Kernel, outcome: Outcome) -> dict[str, int]:
    return reading.acpi_tables(outcome.memory, kernel.tables.base)


@settings(max_examples=40, deadline=None)
@given(layouts())
def test_every_kernel_is_told_what_it_owns(layout: Layout) -> None:
    for kernel in layout.kernels:
        outcome = boot(layout, kernel)
        assert (outcome.console, outcome.handed_off) == ("", kernel.id)
        assert_entered_by_the_book(kernel, outcome)
        assert_writes_stay_inside(kernel, outcome)
        assert_boot_structures(layout, kernel, outcome)
        assert_madt(layout, kernel, outcome)
        assert_mkpt(layout, kernel, outcome)


def assert_entered_by_the_book(kernel: Kernel, outcome: Outcome) -> None:
    assert outcome.entry == kernel.entry
    linux = kernel.image.protocol is Protocol.LINUX
    assert outcome.registers["CR0"] & (PAGING | PROTECTED) == (PAGING | PROTECTED if linux else PROTECTED)
    assert not outcome.registers["EFLAGS"] & FLAGS_FORBIDDEN
    if kernel.image.protocol is Protocol.MULTIBOOT:
        assert outcome.registers["EAX"] == handoff.MULTIBOOT_MAGIC


def assert_writes_stay_inside(kernel: Kernel, outcome: Outcome) -> None:
    stack = Span(FIRMWARE_STACKS + kernel.boot_core * STACK, STACK)
    own = [kernel.tables, stack]
    if kernel.parameters:
        own.append(kernel.parameters)
    assert all(any(int(a) in span for span in own) for a in span_ends(outcome.written()))
    assert outcome.memory[stack.base] == outcome.before[stack.base], "the stack is used up"


def span_ends(addresses: np.ndarray) -> np.ndarray:
    """Return first and last address of each run of neighbours."""
    gaps = np.flatnonzero(np.diff(addresses) != 1)
    return addresses[np.unique(np.concatenate([[0], gaps, gaps + 1, [len(addresses) - 1]]))]


def assert_boot_structures(layout: Layout, kernel: Kernel, outcome: Outcome) -> None:
    read, register = READERS[kernel.image.protocol]
    cmdline, modules, memory = read(outcome.memory, outcome.registers[register])
    assert cmdline == kernel.arguments
    assert outcome.registers[register] in (kernel.parameters or kernel.tables)
    assert modules == expected_modules(kernel)
    assert memory == sorted(memory)
    assert np.array_equal(painted(memory), expected_map(layout, kernel))


def expected_modules(kernel: Kernel) -> reading.Modules:
    if kernel.image.protocol is Protocol.LINUX:  # which knows one file, without a name
        return [(m.span.base, m.span.size, "") for m in kernel.modules[:1]]
    return [(m.span.base, m.span.size, m.cmdline) for m in kernel.modules]


def painted(memory: reading.Memory) -> np.ndarray:
    pages = np.zeros(DRAM // PAGE, np.uint8)
    for base, size, kind in memory:
        assert not pages[Span(base, size).pages].any(), f"{base:#x} is listed twice"
        pages[Span(base, size).pages] = kind
    return pages


def expected_map(layout: Layout, kernel: Kernel) -> np.ndarray:
    pages = np.zeros(DRAM // PAGE, np.uint8)
    for span in kernel.owned:
        pages[span.pages] = handoff.MEMORY_RAM
    pages[kernel.tables.pages] = handoff.MEMORY_ACPI
    for window in layout.windows:
        if window.rights.get(kernel.name, Rights.NONE):
            pages[window.span.pages] = handoff.MEMORY_RESERVED
    return pages


def assert_madt(layout: Layout, kernel: Kernel, outcome: Outcome) -> None:
    madt = tables(kernel, outcome)["APIC"]
    own = [layout.apic_ids[core] for core in kernel.cores]
    listed = reading.apic_ids(outcome.memory, madt)
    assert listed[0] == own[0]
    assert sorted(listed) == sorted(own)
    kinds = [int(entry["type"]) for entry in reading.madt_entries(outcome.memory, madt)]
    assert kinds.count(acpi.MADT_TYPE_IOAPIC) == (kernel.ioapic is not None)
    flags = reading.record(outcome.memory, acpi.MADT, madt)["flags"]
    assert flags == (acpi.MADT_PCAT_COMPAT if kernel.legacy else 0)


def assert_mkpt(layout: Layout, kernel: Kernel, outcome: Outcome) -> None:
    address = tables(kernel, outcome)["MKPT"]
    mkpt = reading.record(outcome.memory, partition.MKPT, address)
    assert (mkpt["kernel"], mkpt["name"].decode(), mkpt["rate"]) == (kernel.id, kernel.name, layout.rate)
    low = kernel.low_page
    assert (mkpt["low_base"], mkpt["low_size"]) == ((low.base, low.size) if low else (0, 0))
    windows = reading.mkpt_array(outcome.memory, address, "windows", partition.MKPT_WINDOW)
    assert [(w["name"].decode(), w["base"], w["size"], w["rights"]) for w in windows] == [
        (w.name, w.span.base, w.span.size, w.rights[kernel.name])
        for w in layout.windows
        if w.rights.get(kernel.name, Rights.NONE)
    ]
    for direction, me, peer in (("outgoing", "sender", "receiver"), ("incoming", "receiver", "sender")):
        bells = reading.mkpt_array(outcome.memory, address, direction, partition.MKPT_DOORBELL)
        fields = bells[["apic_id", "delivery", "first_vector", "last_vector"]].tolist()
        got = [(name.decode(), *rest) for name, rest in zip(bells["name"], fields, strict=True)]
        assert got == expected_doorbells(layout, kernel, me, peer)
    serial = reading.mkpt_array(outcome.memory, address, "serial", partition.MKPT_SERIAL)
    ports = serial[["port", "irq"]].tolist()
    got = [(name.decode(), *rest) for name, rest in zip(serial["name"], ports, strict=True)]
    assert got == [(peer_of(layout, kernel, uart), uart.base, uart.irq or 0) for uart in kernel.uarts]


def peer_of(layout: Layout, kernel: Kernel, uart: Uart) -> str:
    for wire in layout.wires:
        for end, other in (wire.ends, wire.ends[::-1]):
            if end == WireEnd(kernel.name, uart.index):
                return other.kernel
    return ""


def expected_doorbells(layout: Layout, kernel: Kernel, me: str, peer: str) -> list[tuple[str | int, ...]]:
    expected: list[tuple[str | int, ...]] = []
    for bell in layout.doorbells:
        if getattr(bell, me) == kernel.name:
            other = layout.kernel(getattr(bell, peer))
            whom = (other.name, layout.apic_ids[other.boot_core])
            if bell.vectors:
                expected.append((*whom, partition.DELIVERY_FIXED, bell.vectors[0], bell.vectors[-1]))
            expected += [(*whom, *SIGNALS[signal]) for signal in SIGNALS if signal in bell.signals]
    return expected


def test_legacy_owner_has_its_pit_on_pin_2() -> None:
    rich = two_kernels().kernels[0]
    outcome = boot(two_kernels(), rich)
    overrides = [
        (int(entry["source"]), int(entry["gsi"]))
        for entry in reading.madt_entries(outcome.memory, tables(rich, outcome)["APIC"])
        if entry["type"] == acpi.MADT_TYPE_OVERRIDE
    ]
    assert overrides == [(9, 9), (0, 2)]


def test_legacy_owner_is_told_of_hpet_and_pci() -> None:
    rich, poor = two_kernels().kernels
    outcome = boot(two_kernels(), rich)
    hpet = reading.record(outcome.memory, acpi.HPET, tables(rich, outcome)["HPET"])
    assert (hpet["base"]["space"], hpet["base"]["address"]) == (acpi.ACPI_SYSTEM_MEMORY, memmap.HPET)
    assert hpet["block_id"] == 0x8086A201
    mcfg = reading.record(outcome.memory, acpi.MCFG, tables(rich, outcome)["MCFG"])
    assert (mcfg["base"], mcfg["first_bus"], mcfg["last_bus"]) == (memmap.ECAM, 0, 0)
    assert not {"HPET", "MCFG"} & set(tables(poor, boot(two_kernels(), poor)))


def test_owner_of_a_device_is_told_of_its_own_segment() -> None:
    poor = two_kernels().kernels[1]
    device = Device(name="d", kind=Kind.EDU, owner=poor.name, slot=3)
    outcome = boot(replace(two_kernels(), devices=(device,)), poor)
    mcfg = reading.record(outcome.memory, acpi.MCFG, tables(poor, outcome)["MCFG"])
    assert (mcfg["base"], mcfg["segment"]) == (memmap.ECAM + memmap.ECAM_BUS, 1)


def test_console_is_named_by_spcr() -> None:
    rich, poor = two_kernels().kernels
    outcome = boot(two_kernels(), rich)
    spcr = reading.record(outcome.memory, acpi.SPCR, tables(rich, outcome)["SPCR"])
    assert (spcr["base"]["address"], spcr["irq"], spcr["gsi"]) == (0x3F8, 4, 4)
    assert "SPCR" not in tables(poor, boot(two_kernels(), poor))


def test_fadt_names_the_kernels_own_power_and_reset() -> None:
    poor = two_kernels().kernels[1]
    outcome = boot(two_kernels(), poor)
    fadt = reading.record(outcome.memory, acpi.FADT, tables(poor, outcome)["FACP"])
    assert fadt["x_pm1a_cnt_blk"]["address"] == fadt["pm1a_cnt_blk"] == memmap.PORT_PM1_CONTROL
    assert fadt["reset_reg"]["address"] == memmap.PORT_RESET_CONTROL
    assert fadt["iapc_boot_arch"] == acpi.IAPC_NO_VGA | acpi.IAPC_NO_CMOS_RTC


def test_the_clocks_owner_is_told_where_its_century_is() -> None:
    for kernel, century in zip(two_kernels().kernels, (0x32, 0), strict=True):
        outcome = boot(two_kernels(), kernel)
        fadt = reading.record(outcome.memory, acpi.FADT, tables(kernel, outcome)["FACP"])
        assert fadt["century"] == century


def test_bsp_starts_the_boot_core_of_every_other_kernel() -> None:
    layout = two_kernels()
    table = partition_table(layout)
    outcome = enter(table, layout.apic_ids[0], bsp=True)
    assert parked(outcome), "core 0 is no kernel's boot core here"
    messages = (apic_id for core in (1, 2) for apic_id in [layout.apic_ids[core]] * 3)
    assert outcome.started == list(zip(messages, [0x4500, 0x46F0, 0x46F0] * 2, strict=True))


def test_bsp_goes_on_as_its_own_kernels_boot_core() -> None:
    poor = two_kernels().kernels[1]
    outcome = boot(two_kernels(), poor, bsp=True)
    assert outcome.handed_off == poor.id
    assert {apic_id for apic_id, _ in outcome.started} == {4}


def test_a_core_that_starts_nobody_parks_without_touching_memory() -> None:
    layout = two_kernels()
    outcome = enter(partition_table(layout), layout.apic_ids[3])
    assert parked(outcome)
    assert all(FIRMWARE_STACKS <= address < FIRMWARE_STACKS + 4 * STACK for address in outcome.written())


def test_a_second_start_writes_the_same_tables() -> None:
    layout = two_kernels()
    rich = layout.kernels[0]
    once = boot(layout, rich)
    again = enter(partition_table(layout), layout.apic_ids[rich.boot_core], memory=once.memory)
    assert again.handed_off == rich.id
    assert not len(again.written())


@needs("iasl")
@pytest.mark.parametrize("slot", [None, 3])
def test_acpica_reads_the_tables(slot: int | None, tmp_path: Path) -> None:
    layout, poor = two_kernels(), two_kernels().kernels[1]
    if slot is not None:
        layout = replace(layout, devices=(Device(name="d", kind=Kind.EDU, owner=poor.name, slot=slot),))
    for kernel in layout.kernels:
        outcome = boot(layout, kernel)
        for name, address in tables(kernel, outcome).items():
            size = int(reading.record(outcome.memory, acpi.TABLE, address)["length"])
            file = tmp_path / f"{kernel.id}-{name}.dat"
            outcome.memory[address : address + size].tofile(file)
            said = subprocess.run(["iasl", "-d", file], capture_output=True, check=True, timeout=60)
            assert not any(word in said.stdout + said.stderr for word in (b"Error", b"Warning", b"Invalid"))
            text = file.with_suffix(".dsl").read_text()
            assert name == "MKPT" or "Unknown" not in text
            assert name != "DSDT" or devices(text) == expected_devices(kernel, layout)


def expected_devices(kernel: Kernel, layout: Layout) -> list[tuple[str, int]]:
    """Return name and first address of each."""
    names = (f"COM{uart.index + 1}" if uart.index < 9 else f"CO{uart.index + 1}" for uart in kernel.uarts)
    ports = [(name, uart.base) for name, uart in zip(names, kernel.uarts, strict=True)]
    chips = []
    if (segment := layout.segments.get(kernel.name)) is not None:
        chips = [("PCI0", memmap.PORT_PCI_ADDRESS if kernel.legacy else 0)]  # 0: no ports
        chips += [("ECAM", memmap.ECAM + segment * memmap.ECAM_BUS)]
    return [*chips, *([("HPET", memmap.HPET)] if kernel.legacy else []), *ports]


def devices(text: str) -> list[tuple[str, int]]:
    """Return name and first address of each device in a disassembled table."""
    found = []
    for part in text.split("Device (")[1:]:
        address = re.search(r"(?:Decode16|ReadOnly|ReadWrite),\s*0x(\w+),", part)
        found.append((part[:4], int(address[1], 16) if address else 0))
    return found


def test_owner_of_an_iommu_is_told_of_its_units():
    layout = two_kernels()
    everywhere = replace(layout, iommu=Iommu(owner="beta"))
    rich, poor = layout.kernels
    device = Device(name="d", kind=Kind.EDU, owner="beta", slot=1)
    everywhere = replace(everywhere, devices=(device,))
    assert "DMAR" not in tables(rich, boot(everywhere, rich))
    outcome = boot(everywhere, poor)
    at = tables(poor, outcome)["DMAR"]
    length = int(reading.record(outcome.memory, acpi.TABLE, at)["length"])
    assert reading.record(outcome.memory, acpi.DMAR, at)["flags"] == acpi.DMAR_REMAPS
    drhd = at + acpi.DMAR.itemsize
    found = []
    while drhd < at + length:
        unit = reading.record(outcome.memory, acpi.DRHD, drhd)
        scoped = unit["length"] > acpi.DRHD.itemsize
        found.append((int(unit["flags"]), int(unit["segment"]), int(unit["base"]), bool(scoped)))
        drhd += int(unit["length"])
    assert found == [(1, 0, memmap.IOMMU, True), (1, 1, memmap.IOMMU + memmap.IOMMU_STRIDE, False)]


def test_each_kernel_may_have_the_unit_of_its_own_segment():
    layout = replace(two_kernels(), iommu=Iommu(owner=EACH, interrupt_remapping=False))
    rich, poor = layout.kernels
    assert "DMAR" not in tables(poor, boot(layout, poor))
    outcome = boot(layout, rich)
    assert reading.record(outcome.memory, acpi.DMAR, tables(rich, outcome)["DMAR"])["flags"] == 0
