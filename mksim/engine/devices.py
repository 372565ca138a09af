"""The devices behind PCI functions in their sockets: their registers, their DMA, their interrupts.

A function interrupts by MSI if that is enabled, else by INTA#, a pin of its owner's I/O APIC. All that takes
time ends in `tick_devices`, between slices of cores.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.dma import dma_read, dma_write, send_message
from mksim.engine.entry import outlined
from mksim.engine.interrupts import drive_pin, shorten
from mksim.engine.links import link_of, power_up_link, read_link, tick_link, write_link
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, MACHINE
from mksim.engine.virtio import power_up_virtio, read_virtio, tick_virtio, virtio_due, write_virtio
from mksim.engine.virtqueue import virtio_of
from mksim.hw import edu, ivshmem, msix, pci_bars, pci_config
from mksim.hw.edu import EDU
from mksim.hw.pci_config import BLOCK, CONSOLE, ENTROPY, FUNCTION, IVSHMEM
from mksim.hw.pci_config import EDU as KIND_EDU
from mksim.spec import pci as spec

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
def is_virtio(f: np.void) -> bool:
    """Tell whether a virtio device is behind a function."""
    return BLOCK <= f["kind"] <= ENTROPY


@outlined(ENGINE, MACHINE, FUNCTION)
def read_device(engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int) -> int:
    """Read a register of the device behind a function."""
    if f["kind"] == KIND_EDU:
        return edu.read(edu_of(machine, f["unit"]), offset, size)
    if f["kind"] == IVSHMEM:
        return read_link(machine, f, bar, offset, size)
    if not is_virtio(f):
        return _ONES
    value = read_virtio(machine, f, bar, offset, size)
    follow(machine, f, engine["time"])
    return value


@outlined(ENGINE, MACHINE, FUNCTION)
def write_device(
    engine: np.void, machine: np.void, f: np.void, bar: int, offset: int, size: int, value: int
) -> None:
    """Write a register of the device behind a function."""
    now = engine["time"]
    if f["kind"] == KIND_EDU:
        raised = edu.write(edu_of(machine, f["unit"]), offset, size, value, now)
        notify(machine, f, raised, now)
    elif is_virtio(f):
        write_virtio(machine, f, bar, offset, size, value, now)
        release(machine, f, now)
    elif f["kind"] == IVSHMEM:
        write_link(engine, machine, f, bar, offset, size, value)
    rearm_devices(machine)
    shorten(engine, machine["device_deadline"])


@native
def due(machine: np.void, f: np.void) -> int:
    """Return when the device behind a function does something by itself."""
    if f["kind"] == KIND_EDU:
        return edu.deadline(edu_of(machine, f["unit"]))
    if f["kind"] == IVSHMEM:
        return ivshmem.deadline(link_of(machine, f["unit"]))
    return virtio_due(machine, f) if is_virtio(f) else NEVER


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
            continue
        if f["kind"] == IVSHMEM:
            tick_link(machine, f, now)
        else:
            tick_virtio(machine, f, now)
        release(machine, f, now)
        if f["kind"] == CONSOLE:
            break  # the rest is still due: first what has been said is taken, if there is much of it
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


# --- interrupts


@native
def msix_control(f: np.void) -> int:
    """Return the control register of a function's MSI-X capability; 0 if it has none."""
    return pci_config.register(f, f["msix"] + spec.MSIX_CONTROL, 2) if f["msix"] else 0


@outlined(MACHINE, FUNCTION)
def release(machine: np.void, f: np.void, now: int) -> None:
    """Send what messages a function has that are neither masked nor held back, and let INTA# follow."""
    control = msix_control(f)
    if control & spec.MSIX_ENABLE and not control & spec.MSIX_MASKED and pci_config.is_master(f):
        messages = virtio_of(machine, f["unit"])["messages"]
        if f["kind"] == IVSHMEM:
            messages = link_of(machine, f["unit"])["messages"]
        entry = msix.take(messages)
        while entry >= 0:
            send_message(machine, f, msix.address(messages, entry), msix.data(messages, entry), now)
            entry = msix.take(messages)
    follow(machine, f, now)


@outlined(MACHINE)
def reset_function(machine: np.void, index: int, now: int) -> None:
    """Reset what is behind a function; its registers are as they should be, and it answers where they say."""
    f = functions(machine)[index]
    pci_bars.remap(functions(machine), index)
    if f["kind"] == KIND_EDU:
        edu.reset(edu_of(machine, f["unit"]), machine["rate"], machine["latency"])
    elif is_virtio(f):
        power_up_virtio(machine, f)
    elif f["kind"] == IVSHMEM:
        power_up_link(machine, f, now)


@outlined(MACHINE, FUNCTION)
def reconfigured(machine: np.void, f: np.void, now: int) -> None:
    """Let a device's interrupts follow a write to its configuration."""
    if is_virtio(f):
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
    if is_virtio(f):
        waits = virtio_of(machine, f["unit"])["isr"] != 0
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
