"""Reads what the firmware wrote, as a kernel would: from EBX on, by the formats' own rules."""

from collections.abc import Iterator

import numpy as np

from mksim.spec import acpi, handoff, partition

Array = np.ndarray


def record(memory: Array, layout: np.dtype, address: int) -> np.void:
    return records(memory, layout, address, 1)[0]


def records(memory: Array, layout: np.dtype, address: int, count: int) -> Array:
    return memory[address : address + count * layout.itemsize].view(layout)


def string(memory: Array, address: int) -> str:
    end = address + int(np.flatnonzero(memory[address : address + 0x10000] == 0)[0])
    return bytes(memory[address:end]).decode()


def sums_to_zero(memory: Array, address: int, size: int) -> bool:
    return int(memory[address : address + size].sum()) % 256 == 0


def acpi_tables(memory: Array, rsdp_address: int) -> dict[str, int]:
    """Return the address of each table; every length and checksum on the way is checked."""
    rsdp = record(memory, acpi.RSDP, rsdp_address)
    assert rsdp["signature"] == b"RSD PTR "
    assert sums_to_zero(memory, rsdp_address, acpi.ACPI_RSDP_CHECKED)
    assert sums_to_zero(memory, rsdp_address, int(rsdp["length"]))
    xsdt = int(rsdp["xsdt"])
    size = int(record(memory, acpi.TABLE, xsdt)["length"]) - acpi.TABLE.itemsize
    addresses = [int(a) for a in memory[xsdt + acpi.TABLE.itemsize :][:size].view("<u8")]
    rsdt = int(rsdp["rsdt"])
    assert sums_to_zero(memory, rsdt, int(record(memory, acpi.TABLE, rsdt)["length"]))
    assert memory[rsdt + acpi.TABLE.itemsize :][: 4 * len(addresses)].view("<u4").tolist() == addresses
    fadt = record(memory, acpi.FADT, addresses[0])
    assert record(memory, acpi.FACS, int(fadt["firmware_ctrl"]))["signature"] == b"FACS"
    tables = {}
    for address in (xsdt, rsdt, *addresses, int(fadt["x_dsdt"])):
        header = record(memory, acpi.TABLE, address)
        assert sums_to_zero(memory, address, int(header["length"]))
        tables[header["signature"].decode()] = address
    return tables


MADT_ENTRIES = {
    acpi.MADT_TYPE_LAPIC: acpi.MADT_LAPIC,
    acpi.MADT_TYPE_IOAPIC: acpi.MADT_IOAPIC,
    acpi.MADT_TYPE_OVERRIDE: acpi.MADT_OVERRIDE,
    acpi.MADT_TYPE_LAPIC_NMI: acpi.MADT_LAPIC_NMI,
    acpi.MADT_TYPE_X2APIC: acpi.MADT_X2APIC,
    acpi.MADT_TYPE_X2APIC_NMI: acpi.MADT_X2APIC_NMI,
}


def madt_entries(memory: Array, madt: int) -> Iterator[np.void]:
    end = madt + int(record(memory, acpi.TABLE, madt)["length"])
    at = madt + acpi.MADT.itemsize
    while at < end:
        entry = record(memory, MADT_ENTRIES[int(memory[at])], at)
        yield entry
        at += int(entry["length"])
    assert at == end


def apic_ids(memory: Array, madt: int) -> list[int]:
    kinds = (acpi.MADT_TYPE_LAPIC, acpi.MADT_TYPE_X2APIC)
    return [int(entry["apic_id"]) for entry in madt_entries(memory, madt) if entry["type"] in kinds]


def mkpt_array(memory: Array, mkpt: int, name: str, layout: np.dtype) -> Array:
    offset, count = record(memory, partition.MKPT, mkpt)[name]
    return records(memory, layout, mkpt + int(offset), int(count))


Memory = list[tuple[int, int, int]]
"""(base, size, type) of each entry."""
Modules = list[tuple[int, int, str]]
"""(base, size, command line) of each."""


def pvh(memory: Array, ebx: int) -> tuple[str, Modules, Memory]:
    """Return the command line, the modules and the memory map."""
    start = record(memory, handoff.PVH_START, ebx)
    assert start["magic"] == handoff.PVH_MAGIC
    modules = records(memory, handoff.PVH_MODULE, int(start["modules"]), int(start["module_count"]))
    entries = records(memory, handoff.PVH_MEMORY, int(start["memory_map"]), int(start["memory_map_count"]))
    return (
        string(memory, int(start["cmdline"])),
        [(int(m["base"]), int(m["size"]), string(memory, int(m["cmdline"]))) for m in modules],
        [(int(e["base"]), int(e["size"]), int(e["type"])) for e in entries],
    )


def multiboot(memory: Array, ebx: int) -> tuple[str, Modules, Memory]:
    """The same of a multiboot information structure."""
    info = record(memory, handoff.MULTIBOOT_INFO, ebx)
    modules = records(memory, handoff.MULTIBOOT_MODULE, int(info["mods_addr"]), int(info["mods_count"]))
    entry = handoff.MULTIBOOT_MEMORY_ENTRY
    entries = records(memory, entry, int(info["mmap_addr"]), int(info["mmap_length"]) // entry.itemsize)
    assert all(entries["entry_size"] == entry.itemsize - 4)
    return (
        string(memory, int(info["cmdline"])),
        [(int(m["start"]), int(m["end"] - m["start"]), string(memory, int(m["cmdline"]))) for m in modules],
        [(int(e["base"]), int(e["size"]), int(e["type"])) for e in entries],
    )


def linux(memory: Array, address: int) -> tuple[str, Modules, Memory]:
    params = record(memory, handoff.BOOT_PARAMS, address)
    head = params["header"]
    ramdisk = (int(head["ramdisk_image"]), int(head["ramdisk_size"]), "")
    table = params["e820_table"][: int(params["e820_entries"])]
    entries = [(int(e["base"]), int(e["size"]), int(e["type"])) for e in table]
    assert acpi_tables(memory, int(params["acpi_rsdp_addr"]))
    return string(memory, int(head["cmd_line_ptr"])), [ramdisk] if ramdisk[1] else [], entries
