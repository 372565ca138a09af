"""Physical addresses that are not plain memory to a kernel: chips, holes, and what others own.

One callback serves all regions of an engine. Others' DRAM is such a region: every access to it arrives here,
exact to the byte, page-table walks included, and is recorded, done or refused.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine.cpustate import CPU_MEM_IO_PC
from mksim.engine.crossings import (
    CONFIG_READ,
    CONFIG_WRITE,
    DEVICE_READ,
    DEVICE_WRITE,
    EXECUTE,
    READ,
    WALK,
    WRITE,
    cross,
    cross_access,
    exact_rip,
    from_code,
    page_granted,
    page_owner,
)
from mksim.engine.entry import entry, outlined
from mksim.engine.interrupts import io_apic, pins
from mksim.engine.iommu import read_unit, write_unit
from mksim.engine.machinecheck import BUS_FETCH, BUS_MESSAGE, BUS_READ, BUS_WRITE, post, throw
from mksim.engine.msr import after_apic_write
from mksim.engine.pci import ecam_owner, memory_owner, read_ecam, read_memory, write_ecam, write_memory
from mksim.engine.qemu import pointer, raise_exception_err_ra
from mksim.engine.records import (
    ENGINE,
    FOREIGN,
    HOLE,
    IO_APIC,
    IOMMU_UNIT,
    LOCAL_APIC,
    MACHINE,
    PCI_ECAM,
    PCI_SPACE,
    REGION,
    core_of,
    engine_at,
    machine_at,
)
from mksim.engine.remapping import unit_owner
from mksim.engine.softmmu import drop_everywhere
from mksim.engine.timers import read_hpet, write_hpet
from mksim.fabric.ownership import FIRMWARE, NOBODY
from mksim.hw import ioapic, lapic
from mksim.spec.apic import BASE_ADDRESS
from mksim.spec.memmap import LAPIC, PAGE

_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_UD = 6
_WRITE_PROT = 22  # UC_MEM_WRITE_PROT


@native
def region_at(address: int) -> np.void:
    """Return the REGION record at `address`."""
    return carray(pointer(address), 1, REGION)[0]


@native
def load(machine: np.void, address: int, size: int) -> np.uint64:
    """Read 1 to 8 bytes of DRAM, little-endian."""
    cells = carray(pointer(machine["memory"] + address), 8, np.uint8)
    value = np.uint64(0)
    for byte in range(size):
        value |= np.uint64(cells[byte]) << np.uint64(8 * byte)
    return value


@native
def store(machine: np.void, address: int, size: int, value: int) -> None:
    """Write 1 to 8 bytes of DRAM; code that another engine has translated from them is stale, and dropped."""
    cells = carray(pointer(machine["memory"] + address), 8, np.uint8)
    for byte in range(size):
        cells[byte] = (value >> np.uint64(8 * byte)) & np.uint64(0xFF)
    drop_everywhere(machine, machine["memory"] + address, size)


@outlined(ENGINE, MACHINE)
def foreign_read(engine: np.void, machine: np.void, address: int, size: int) -> np.uint64:
    """A load from what another owns: recorded; refused, it is a machine check and reads as nothing."""
    code = from_code(engine)
    granted = page_granted(machine, engine, address, 1)
    cross_access(engine, machine, READ if code != 0 else WALK, address, size, granted)
    if granted or machine["guard"] == 0:
        return load(machine, address, size)
    refuse(engine, machine, BUS_READ, address, code)
    return _ONES if code != 0 else np.uint64(0)  # a walk must find no page there


@outlined(ENGINE, MACHINE)
def foreign_write(engine: np.void, machine: np.void, address: int, size: int, value: int) -> None:
    """A store to what another owns: recorded; refused, it is a machine check and changes nothing."""
    code = from_code(engine)
    granted = page_granted(machine, engine, address, 2)
    cross_access(engine, machine, WRITE if code != 0 else WALK, address, size, granted)
    if granted or machine["guard"] == 0:
        store(machine, address, size, value)
    else:
        refuse(engine, machine, BUS_WRITE, address, code)


@outlined(ENGINE, MACHINE)
def refuse(engine: np.void, machine: np.void, kind: int, where: int, code: int) -> None:
    """Answer a refused access: a machine check at the instruction, or after a walk, which has none."""
    if code != 0:
        settle_io(engine)
        throw(engine, core_of(machine, engine["core"]), kind, where, code)
    else:
        post(machine, engine["core"], kind, where)


@native
def resume_io(engine: np.void, address: int) -> None:
    """Give the upper half of an 8-byte access, which arrives as two of four, its lower half's code."""
    if address & 7 == 4 and address == engine["io_address"] + 4 and from_code(engine) == 0:
        carray(pointer(engine["cpu"] + CPU_MEM_IO_PC), 1, np.int64)[0] = engine["io_code"]
    engine["io_address"], engine["io_code"] = address, from_code(engine)


@native
def settle_io(engine: np.void) -> None:
    """Forget where the access came from, so that the next page-table walk is seen to come from nowhere."""
    carray(pointer(engine["cpu"] + CPU_MEM_IO_PC), 1, np.int64)[0] = 0


@native
def apic_responds(core: np.void, page: int) -> bool:
    """Tell whether the core's local APIC answers at a page: in xAPIC mode only, and where it was put."""
    apic = core["lapic"]
    return lapic.globally_enabled(apic) and not lapic.x2apic(apic) and apic["base"] & BASE_ADDRESS == page


@outlined(ENGINE, MACHINE, REGION)
def chip_read(engine: np.void, machine: np.void, region: np.void, offset: int, size: int) -> np.uint64:
    """Read a chip's register. They are 32 bits wide; an APIC's are 16 bytes apart, the hole between them."""
    kind = region["kind"]
    if kind == LOCAL_APIC:
        return apic_read(engine, machine, LAPIC, offset)
    if kind == PCI_SPACE and memory_owner(machine, region["base"] + offset) < 0:
        return hole_read(engine, machine, region["base"] + offset)
    if chip_allowed(engine, machine, CONFIG_READ if kind == PCI_ECAM else DEVICE_READ, region, offset, size):
        if kind == IO_APIC:
            return np.uint64(ioapic.read(io_apic(machine, region["unit"]), offset))
        if kind == PCI_ECAM:
            return np.uint64(read_ecam(machine, offset, size))
        if kind == PCI_SPACE:
            return np.uint64(read_memory(engine, machine, region["base"] + offset, size))
        if kind == IOMMU_UNIT:
            return np.uint64(read_unit(machine, region["unit"], offset, size))
        return np.uint64(read_hpet(machine, offset, engine["time"]))
    return _ONES


@outlined(ENGINE, MACHINE, REGION)
def chip_write(
    engine: np.void, machine: np.void, region: np.void, offset: int, size: int, value: int
) -> None:
    """Write a register of a chip."""
    kind = region["kind"]
    if kind == LOCAL_APIC:
        apic_write(engine, machine, LAPIC, offset, value)
    elif kind == PCI_SPACE and memory_owner(machine, region["base"] + offset) < 0:
        hole_write(engine, machine, region["base"] + offset, value)
    elif chip_allowed(
        engine, machine, CONFIG_WRITE if kind == PCI_ECAM else DEVICE_WRITE, region, offset, size
    ):
        if kind == IO_APIC:
            ioapic.write(io_apic(machine, region["unit"]), offset, value & 0xFFFFFFFF)
            pins(machine, region["unit"], engine["core"], engine["time"])
        elif kind == PCI_ECAM:
            write_ecam(engine, machine, offset, size, value & 0xFFFFFFFF)
        elif kind == PCI_SPACE:
            write_memory(engine, machine, region["base"] + offset, size, value)
        elif kind == IOMMU_UNIT:
            write_unit(machine, region["unit"], offset, size, value, engine["time"])
        else:
            write_hpet(engine, machine, offset, size, value & 0xFFFFFFFF)


@native(inline=True)
def apic_read(engine: np.void, machine: np.void, page: int, offset: int) -> np.uint64:
    """Read a register of the core's own local APIC, if that is at a page."""
    core = core_of(machine, engine["core"])
    if not apic_responds(core, page):
        return _ONES
    return np.uint64(lapic.read(core["lapic"], offset, engine["time"]))


@native(inline=True)
def apic_write(engine: np.void, machine: np.void, page: int, offset: int, value: int) -> None:
    """Write a register of the core's own local APIC, if that is at a page."""
    core = core_of(machine, engine["core"])
    if apic_responds(core, page):
        action = lapic.write(core["lapic"], offset, value & 0xFFFFFFFF, engine["time"])
        after_apic_write(engine, machine, action)
        if core["machine_check"] != 0:
            core["machine_check"] = 0
            code = from_code(engine)
            settle_io(engine)
            throw(engine, core, BUS_MESSAGE, core["mc_address"], code)


@native
def hole_read(engine: np.void, machine: np.void, address: int) -> np.uint64:
    """Read where nobody answers, unless the core has put its local APIC there; a walk finds no page."""
    if from_code(engine) == 0:
        return np.uint64(0)
    return apic_read(engine, machine, address & -PAGE, address & (PAGE - 1))


@outlined(ENGINE, MACHINE)
def hole_write(engine: np.void, machine: np.void, address: int, value: int) -> None:
    """Write where nobody answers, unless the core has put its local APIC there."""
    apic_write(engine, machine, address & -PAGE, address & (PAGE - 1), value)


@native
def chip_owner(machine: np.void, region: np.void, offset: int) -> np.int64:
    """Return who owns the chip behind a region: an I/O APIC, a PCI function, or one of the legacy chips."""
    if region["kind"] == PCI_ECAM:
        return ecam_owner(machine, offset)
    if region["kind"] == PCI_SPACE:
        return memory_owner(machine, region["base"] + offset)
    if region["kind"] == IOMMU_UNIT:
        return unit_owner(machine, region["unit"])
    if region["kind"] == IO_APIC:
        owners = carray(pointer(machine["ioapic_owner"]), machine["n_ioapics"], np.int16)
        return np.int64(owners[region["unit"]])
    return np.int64(machine["legacy_kernel"])


@outlined(ENGINE, MACHINE, REGION)
def chip_allowed(
    engine: np.void, machine: np.void, act: int, region: np.void, offset: int, size: int
) -> bool:
    """Record a touch of another kernel's chip; return False if it must not happen."""
    owner, core = chip_owner(machine, region, offset), core_of(machine, engine["core"])
    if owner == NOBODY or owner == core["owner"] or core["owner"] == FIRMWARE:
        return True
    address = region["base"] + offset
    cross(machine, engine["core"], engine["time"], exact_rip(engine), act, address, size, owner, False)
    if machine["guard"] == 0:
        return True
    kind = BUS_READ if act in (DEVICE_READ, CONFIG_READ) else BUS_WRITE
    refuse(engine, machine, kind, address, from_code(engine))
    return False


@entry(types.uint64(types.uintp, types.uint64, types.uint32, types.uintp))
def on_mmio_read(_uc: int, offset: int, size: int, region_address: int) -> int:
    """uc_mmio_map, read."""
    region = region_at(np.int64(region_address))
    engine = engine_at(region["engine"])
    machine = machine_at(engine["machine"])
    resume_io(engine, region["base"] + np.int64(offset))
    if region["kind"] == FOREIGN:
        value = foreign_read(engine, machine, region["base"] + np.int64(offset), np.int64(size))
    elif region["kind"] == HOLE:
        value = hole_read(engine, machine, region["base"] + np.int64(offset))
    else:
        value = chip_read(engine, machine, region, np.int64(offset), np.int64(size))
    settle_io(engine)
    return value


@entry(types.void(types.uintp, types.uint64, types.uint32, types.uint64, types.uintp))
def on_mmio_write(_uc: int, offset: int, size: int, value: int, region_address: int) -> None:
    """uc_mmio_map, write."""
    region = region_at(np.int64(region_address))
    engine = engine_at(region["engine"])
    machine = machine_at(engine["machine"])
    resume_io(engine, region["base"] + np.int64(offset))
    if region["kind"] == FOREIGN:
        foreign_write(engine, machine, region["base"] + np.int64(offset), np.int64(size), np.uint64(value))
    elif region["kind"] == HOLE:
        hole_write(engine, machine, region["base"] + np.int64(offset), np.int64(value))
    else:
        chip_write(engine, machine, region, np.int64(offset), np.int64(size), np.int64(value))
    settle_io(engine)


@native
def on_fetch(engine: np.void, machine: np.void, kind: int, address: int) -> None:
    """An instruction fetch from a region: #UD where nobody answers, else a crossing, refused or stepped."""
    if kind != FOREIGN:
        raise_exception_err_ra(engine["env"], _UD, 0, 0)
    owner_allows = page_granted(machine, engine, address, 4)
    cross_access(engine, machine, EXECUTE, address, 1, owner_allows)
    if machine["guard"] != 0:
        throw(engine, core_of(machine, engine["core"]), BUS_FETCH, address, 0)


@entry(types.boolean(types.uintp, types.int32, types.uint64, types.int32, types.int64, types.uintp))
def on_protection(_uc: int, access: int, address: int, _size: int, _value: int, region_address: int) -> bool:
    """UC_HOOK_MEM_FETCH_PROT, _WRITE_PROT over regions: False leaves the instruction undone."""
    region = region_at(np.int64(region_address))
    engine = engine_at(region["engine"])
    machine = machine_at(engine["machine"])
    if access == _WRITE_PROT:
        engine["fault_kind"] = WRITE
    else:
        on_fetch(engine, machine, region["kind"], np.int64(address))
        engine["fault_kind"] = EXECUTE
    engine["fault_address"] = np.int64(address)
    engine["fault_owner"] = FIRMWARE
    if region["kind"] == FOREIGN:
        engine["fault_owner"] = page_owner(machine, np.int64(address))
    return False
