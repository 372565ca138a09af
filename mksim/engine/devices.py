"""The devices behind PCI functions in their sockets: their registers, their DMA, their interrupts.

A function interrupts by MSI if that is enabled, else by INTA#, a pin of its owner's I/O APIC. All that takes
time ends in `tick_devices`, between slices of cores.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.disks import serve
from mksim.engine.dma import dma_read, dma_write, send_message
from mksim.engine.entry import outlined
from mksim.engine.interrupts import drive_pin, shorten
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE
from mksim.hw import edu, msix, pci_bars, pci_config, virtio_blk, virtio_pci
from mksim.hw.edu import EDU
from mksim.hw.pci_config import BLOCK as KIND_BLOCK
from mksim.hw.pci_config import EDU as KIND_EDU
from mksim.hw.pci_config import FUNCTION
from mksim.hw.virtio_blk import BLOCK
from mksim.spec import pci as spec
from mksim.spec import virtio

_ONES = -1


@native
def functions(machine: np.void) -> np.ndarray:
    """Return the records of all functions: the host bridges first, in the order of their segments."""
    return carray(pointer(machine["functions"]), machine["n_functions"], FUNCTION)


@native
def edu_of(machine: np.void, unit: int) -> np.void:
    """Return the record of educational device number `unit`."""
    return carray(pointer(machine["edus"]), machine["n_edus"], EDU)[unit]


@native
def block_of(machine: np.void, unit: int) -> np.void:
    """Return the record of block device number `unit`."""
    return carray(pointer(machine["blocks"]), machine["n_blocks"], BLOCK)[unit]


@outlined(ENGINE, MACHINE, FUNCTION)
def read_device(engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int) -> int:
    """Read a register of the device behind a function."""
    if f["kind"] == KIND_EDU:
        return edu.read(edu_of(machine, f["unit"]), offset, size)
    if f["kind"] == KIND_BLOCK:
        return read_block(engine, machine, f, bar, offset, size)
    return _ONES


@outlined(ENGINE, MACHINE, FUNCTION)
def write_device(
    engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int, value: int
) -> None:
    """Write a register of the device behind a function."""
    now = engine["time"]
    if f["kind"] == KIND_EDU:
        raised = edu.write(edu_of(machine, f["unit"]), offset, size, value, now)
        notify(machine, f, raised, now)
    elif f["kind"] == KIND_BLOCK:
        write_block(machine, f, bar, offset, size, value, now)
    rearm_devices(machine)
    shorten(engine, machine["device_deadline"])


@native
def due(machine: np.void, f: np.void) -> int:
    """Return when the device behind a function does something by itself."""
    if f["kind"] == KIND_EDU:
        return edu.deadline(edu_of(machine, f["unit"]))
    return block_of(machine, f["unit"])["due"] if f["kind"] == KIND_BLOCK else NEVER


@native
def rearm_devices(machine: np.void) -> None:
    """Work out when the next device does something by itself."""
    deadline = NEVER
    for index in range(machine["n_functions"]):
        deadline = min(deadline, due(machine, functions(machine)[index]))
    machine["device_deadline"] = deadline


@outlined(MACHINE)
def tick_devices(machine: np.void, now: int) -> None:
    """Let devices do what is due."""
    for index in range(machine["n_functions"]):
        f = functions(machine)[index]
        if due(machine, f) > now:
            continue
        if f["kind"] == KIND_EDU:
            tick_edu(machine, f, now)
        else:
            tick_block(machine, f, now)
    rearm_devices(machine)


@native
def tick_edu(machine: np.void, f: np.void, now: int) -> None:
    """Let an educational device finish what it is at."""
    chip, raised = edu_of(machine, f["unit"]), False
    if chip["computed"] <= now:
        raised = edu.finish_factorial(chip)
    if chip["moved"] <= now:
        move(machine, f, chip, now)
        if edu.finish_dma(chip):
            raised = True
    notify(machine, f, raised, now)


@native
def move(machine: np.void, f: np.void, chip: np.void, now: int) -> None:
    """Do an educational device's DMA."""
    at, count = edu.in_buffer(chip), chip["dma"][2]
    if at < 0 or not pci_config.is_master(f):
        return
    if edu.to_memory(chip):
        dma_write(machine, f, edu.in_memory(chip), chip["buffer"], at, count, now)
    else:
        dma_read(machine, f, edu.in_memory(chip), chip["buffer"], at, count, now)


@native
def read_block(engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int) -> int:
    """Read a register of a virtio block device, or of its table of messages."""
    block, part = block_of(machine, f["unit"]), offset & -virtio.PART
    if bar == virtio.MSIX_BAR:
        return msix.read(block["messages"], offset) if size == 4 and offset & 3 == 0 else _ONES
    if part == virtio.COMMON_AT and offset < virtio.COMMON_SIZE:
        return virtio_pci.read(block["transport"], offset, size)
    if part == virtio.DEVICE_AT:
        return virtio_blk.read_config(block, offset - part, size)
    if offset == virtio.ISR_AT:
        value = virtio_pci.take_isr(block["transport"])
        follow(machine, f, engine["time"])
        return value
    return 0


@native
def write_block(machine: np.void, f: np.void, bar: int, offset: int, size: int, value: int, now: int) -> None:
    """Write a register of a virtio block device, or of its table of messages."""
    block = block_of(machine, f["unit"])
    if bar == virtio.MSIX_BAR:
        if size == 4 and offset & 3 == 0:
            msix.write(block["messages"], offset, value)
    elif offset < virtio.COMMON_SIZE:
        virtio_pci.write(block["transport"], offset, size, value)
    elif offset & -virtio.PART == virtio.NOTIFY_AT:
        virtio_blk.notify(block, now)
    release(machine, f, now)


@native
def tick_block(machine: np.void, f: np.void, now: int) -> None:
    """Let a block device look at its queue. One that has failed says so, as a change of its configuration."""
    block = block_of(machine, f["unit"])
    if serve(machine, f, block, now):
        msix.post(block["messages"], block["transport"]["queue_entry"])
    elif block["failed"] != 0:
        msix.post(block["messages"], block["transport"]["config_entry"])
    release(machine, f, now)


# --- interrupts


@native
def msix_control(f: np.void) -> int:
    """Return the control register of a function's MSI-X capability; 0 if it has none."""
    return pci_config.register(f, f["msix"] + spec.MSIX_CONTROL, 2) if f["msix"] else 0


@outlined(MACHINE, FUNCTION)
def release(machine: np.void, f: np.void, now: int) -> None:
    """Send what messages of a block device are neither masked nor held back, and let INTA# follow."""
    control = msix_control(f)
    if control & spec.MSIX_ENABLE and not control & spec.MSIX_MASKED and pci_config.is_master(f):
        messages = block_of(machine, f["unit"])["messages"]
        entry = msix.take(messages)
        while entry >= 0:
            send_message(machine, f, msix.address(messages, entry), msix.data(messages, entry), now)
            entry = msix.take(messages)
    follow(machine, f, now)


@outlined(MACHINE)
def reset_function(machine: np.void, index: int) -> None:
    """Reset what is behind a function; its registers are as they should be, and it answers where they say."""
    f = functions(machine)[index]
    pci_bars.remap(functions(machine), index)
    if f["kind"] == KIND_EDU:
        edu.reset(edu_of(machine, f["unit"]), machine["rate"], machine["latency"])
    elif f["kind"] == KIND_BLOCK:
        block = block_of(machine, f["unit"])
        virtio_blk.reset(block, machine["rate"], machine["latency"])
        block["transport"]["offered"] |= virtio.ACCESS_PLATFORM if machine["n_iommus"] != 0 else 0


@outlined(MACHINE, FUNCTION)
def reconfigured(machine: np.void, f: np.void, now: int) -> None:
    """Let a device's interrupts follow a write to its configuration."""
    if f["kind"] == KIND_BLOCK:
        release(machine, f, now)
    else:
        follow(machine, f, now)


@native
def msi_enabled(f: np.void) -> bool:
    """Tell whether a function interrupts by message."""
    at = f["msi"]
    return at != 0 and pci_config.register(f, at + spec.MSI_CONTROL, 2) & spec.MSI_ENABLE != 0


@outlined(MACHINE, FUNCTION)
def notify(machine: np.void, f: np.void, raised: bool, now: int) -> None:
    """Let out an interrupt that a device has raised, and let INTA# follow its line."""
    if raised and msi_enabled(f) and pci_config.is_master(f):
        at = f["msi"]
        high = pci_config.register(f, at + spec.MSI_ADDRESS_HIGH, 4)
        address = high << 32 | pci_config.register(f, at + spec.MSI_ADDRESS, 4)
        send_message(machine, f, address, pci_config.register(f, at + spec.MSI_DATA, 2), now)
    follow(machine, f, now)


@native
def asserts(machine: np.void, f: np.void) -> bool:
    """Tell whether the device behind a function wants to interrupt by its pin."""
    if f["kind"] == KIND_BLOCK:
        waits = block_of(machine, f["unit"])["transport"]["isr"] != 0
        return waits and not msix_control(f) & spec.MSIX_ENABLE
    wants = f["kind"] == KIND_EDU and edu.line(edu_of(machine, f["unit"]))
    return wants and not msi_enabled(f)


@outlined(MACHINE, FUNCTION)
def follow(machine: np.void, f: np.void, now: int) -> None:
    """Let the pin of the I/O APIC follow INTA# of all of its owner's functions that share it."""
    wants = asserts(machine, f)
    f["config"][spec.STATUS] &= np.uint8(0xFF & ~spec.STATUS_INTERRUPT)
    if wants:
        f["config"][spec.STATUS] |= np.uint8(spec.STATUS_INTERRUPT)
    masked = pci_config.register(f, spec.COMMAND, 2) & spec.COMMAND_NO_INTERRUPT != 0
    before, f["level"] = f["level"], 1 if wants and not masked else 0
    if before == f["level"]:
        return
    level = False
    for index in range(machine["n_functions"]):
        other = functions(machine)[index]
        if other["owner"] == f["owner"] and other["pin"] == f["pin"] and other["level"] != 0:
            level = True
    drive_pin(machine, np.int64(f["owner"]), np.int64(f["pin"]), level, now)
