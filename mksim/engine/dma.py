"""DMA: what devices do to memory. A device acts for its owner, and reaches what the fabric lets it reach.

Where the board has an IOMMU, that says where a request goes, page by page. Then another's page is a crossing,
one for each page and transfer; `guard` refuses it. What either of them refuses does not happen: a read gets
ones, a write changes nothing, and the device's status says that the target aborted.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.crossings import DMA_READ, DMA_WRITE, cross_dma, page_owner
from mksim.engine.entry import outlined
from mksim.engine.interrupts import interrupt, is_interrupt, is_reserved, remapped, send_events
from mksim.engine.mwait import wake_monitors
from mksim.engine.probe import note_dma
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE, engine_of, kernel_of
from mksim.engine.remapping import SEGMENT_SHIFT, remap_message, translate
from mksim.engine.softmmu import drop_everywhere
from mksim.hw import pci_config
from mksim.hw.pci_config import FUNCTION
from mksim.hw.vtd_interrupts import AS_IT_IS
from mksim.spec import pci as spec
from mksim.spec.memmap import HIGH_DRAM, LOW_DRAM_END, PAGE, PAGE_SHIFT

_R, _W = 1, 2  # ownership.Rights, plain numbers for Numba
_NOTHING = 0xFF
_MESSAGE = 4


@native
def is_memory(machine: np.void, address: int, size: int) -> bool:
    """Tell whether bytes of one page are DRAM."""
    if address < 0 or address > machine["memory_size"] - size:
        return False
    return address < LOW_DRAM_END or address >= HIGH_DRAM


@outlined(MACHINE, FUNCTION)
def reaches(machine: np.void, f: np.void, act: int, right: int, address: int, size: int, now: int) -> bool:
    """Tell whether a function's DMA to bytes of one page happens; record it if the page is another's."""
    if not is_memory(machine, address, size):
        pci_config.report(f, spec.STATUS_MASTER_ABORT)
        return False
    if allowed(machine, np.int64(f["owner"]), np.int64(f["place"]), act, right, address, size, now):
        return True
    pci_config.report(f, spec.STATUS_TARGET_ABORT)
    return False


@native
def allowed(
    machine: np.void, owner: int, place: int, act: int, right: int, address: int, size: int, now: int
) -> bool:
    """Tell whether the fabric lets a device of an owner's have bytes of one page of DRAM; record it."""
    whose = engine_of(machine, owner)
    rights = carray(pointer(whose["rights"] + (address >> PAGE_SHIFT)), 1, np.uint8)[0]
    direct = carray(pointer(whose["direct"] + (address >> PAGE_SHIFT)), 1, np.uint8)[0]
    if direct & right != 0:
        return True
    granted = rights & right != 0
    cross_dma(machine, owner, place, now, act, address, size, page_owner(machine, address), granted)
    return granted or machine["guard"] == 0


@native
def goes_to(machine: np.void, f: np.void, act: int, right: int, address: int, size: int, now: int) -> int:
    """Return where in memory a request for bytes of one page goes; below zero if it does not happen."""
    if is_interrupt(address):
        pci_config.report(f, spec.STATUS_MASTER_ABORT)
        return np.int64(-1)  # type: ignore[return-value]  # signed, for numba
    where = np.int64(translate(machine, np.int64(f["place"]), address, act == DMA_WRITE, now))
    if where < 0:
        send_events(machine, f["place"] >> SEGMENT_SHIFT, now)
        pci_config.report(f, spec.STATUS_TARGET_ABORT)
    elif not reaches(machine, f, act, right, where, size, now):
        where = np.int64(-1)
    elif machine["debugger"] != 0:
        note_dma(machine, np.int64(f["place"]), right, where, size)
    return where  # type: ignore[return-value]


@native
def dma_read(
    machine: np.void, f: np.void, address: int, to: np.ndarray, at: int, size: int, now: int
) -> bool:
    """Read memory into bytes of a device's; return False where some of it was not to be had."""
    whole = True
    while size > 0:
        step = min(size, PAGE - (address & (PAGE - 1)))
        where = goes_to(machine, f, DMA_READ, _R, address, step, now)
        if where >= 0:
            to[at : at + step] = carray(pointer(machine["memory"] + where), step, np.uint8)
        else:
            to[at : at + step] = _NOTHING
            whole = False
        address, at, size = address + step, at + step, size - step
    return whole


@native
def dma_write(
    machine: np.void, f: np.void, address: int, source: np.ndarray, at: int, size: int, now: int
) -> bool:
    """Write bytes of a device's to memory; return False where some of it did not happen."""
    whole = True
    if is_interrupt(address) and size == _MESSAGE:
        data = np.int64(source[at]) | np.int64(source[at + 1]) << 8
        data |= np.int64(source[at + 2]) << 16 | np.int64(source[at + 3]) << 24
        send_interrupt(machine, f, address, data, now)
        return True
    while size > 0:
        step = min(size, PAGE - (address & (PAGE - 1)))
        where = goes_to(machine, f, DMA_WRITE, _W, address, step, now)
        if where >= 0:
            carray(pointer(machine["memory"] + where), step, np.uint8)[:] = source[at : at + step]
            changed(machine, where, step, now)
        else:
            whole = False
        address, at, size = address + step, at + step, size - step
    return whole


@native
def changed(machine: np.void, where: int, size: int, now: int) -> None:
    """Memory is not what it was, by no core: code translated from it is stale, who monitors it wakes."""
    drop_everywhere(machine, machine["memory"] + where, size)
    if machine["monitors"] != 0:
        wake_monitors(machine, -1, now)


@outlined(MACHINE, FUNCTION)
def send_message(machine: np.void, f: np.void, address: int, data: int, now: int) -> None:
    """Write the 32 bits of an MSI: to the processors' addresses that is an interrupt."""
    word = np.zeros(_MESSAGE, np.uint8)
    for byte in range(_MESSAGE):
        word[byte] = data >> (8 * byte) & 0xFF
    dma_write(machine, f, address, word, 0, _MESSAGE, now)


@outlined(MACHINE, FUNCTION)
def send_interrupt(machine: np.void, f: np.void, address: int, data: int, now: int) -> None:
    """Send an interrupt by its address and data, or what the IOMMU makes of it."""
    sender = np.int64(kernel_of(machine, f["owner"])["boot_core"])
    found = remap_message(machine, np.int64(f["place"]), address, data, now)
    if found != AS_IT_IS:
        remapped(machine, f["place"] >> SEGMENT_SHIFT, found, sender, now)
        return
    if is_reserved(data):
        return
    destination = address >> spec.MSI_DESTINATION_SHIFT & 0xFF
    logical = 1 if address & spec.MSI_LOGICAL else 0
    entry = data & (spec.MSI_VECTOR | 7 << spec.MSI_MODE_SHIFT | spec.MSI_LEVEL)
    interrupt(machine, entry | logical << 11 | destination << 56, sender, now)
