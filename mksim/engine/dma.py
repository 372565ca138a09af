"""DMA: what devices do to memory. A device acts for its owner, and reaches what the fabric lets it reach.

Without an IOMMU that is everything. Another's page is a crossing, one for each page and transfer; `guard`
refuses it: a read gets ones, a write changes nothing, and the device's status says that the target aborted.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.crossings import DMA_READ, DMA_WRITE, cross_dma, page_owner
from mksim.engine.entry import outlined
from mksim.engine.interrupts import interrupt
from mksim.engine.mwait import wake_monitors
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE, engine_of, kernel_of
from mksim.engine.softmmu import drop_code
from mksim.hw import pci_config
from mksim.hw.pci_config import FUNCTION
from mksim.spec import pci as spec
from mksim.spec.memmap import HIGH_DRAM, LOW_DRAM_END, PAGE, PAGE_SHIFT

_R, _W = 1, 2  # ownership.Rights, plain numbers for Numba
_NOTHING = 0xFF


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
    owner = engine_of(machine, f["owner"])
    rights = carray(pointer(owner["rights"] + (address >> PAGE_SHIFT)), 1, np.uint8)[0]
    direct = carray(pointer(owner["direct"] + (address >> PAGE_SHIFT)), 1, np.uint8)[0]
    if direct & right != 0:
        return True
    granted = rights & right != 0
    cross_dma(machine, f, now, act, address, size, page_owner(machine, address), granted)
    if granted or machine["guard"] == 0:
        return True
    pci_config.report(f, spec.STATUS_TARGET_ABORT)
    return False


@native
def dma_read(
    machine: np.void, f: np.void, address: int, to: np.ndarray, at: int, size: int, now: int
) -> bool:
    """Read memory into bytes of a device's; return False where some of it was not to be had."""
    whole = True
    while size > 0:
        step = min(size, PAGE - (address & (PAGE - 1)))
        if reaches(machine, f, DMA_READ, _R, address, step, now):
            to[at : at + step] = carray(pointer(machine["memory"] + address), step, np.uint8)
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
    while size > 0:
        step = min(size, PAGE - (address & (PAGE - 1)))
        if reaches(machine, f, DMA_WRITE, _W, address, step, now):
            carray(pointer(machine["memory"] + address), step, np.uint8)[:] = source[at : at + step]
            for index in range(machine["n_engines"]):
                drop_code(engine_of(machine, index), machine["memory"] + address, step)
        else:
            whole = False
        address, at, size = address + step, at + step, size - step
    if machine["monitors"] != 0:
        wake_monitors(machine, -1, now)
    return whole


@outlined(MACHINE, FUNCTION)
def send_message(machine: np.void, f: np.void, address: int, data: int, now: int) -> None:
    """Write the 32 bits of an MSI: to the processors' addresses that is an interrupt (SDM vol. 3A, 12.11)."""
    if address & ~(spec.MSI_WINDOW_SIZE - 1) != spec.MSI_WINDOW:
        word = np.zeros(4, np.uint8)
        for byte in range(4):
            word[byte] = data >> (8 * byte) & 0xFF
        dma_write(machine, f, address, word, 0, 4, now)
        return
    if data >> spec.MSI_MODE_SHIFT & 7 in (3, 6):
        return  # reserved: no start-up by MSI
    destination = address >> spec.MSI_DESTINATION_SHIFT & 0xFF
    logical = 1 if address & spec.MSI_LOGICAL else 0
    entry = data & (spec.MSI_VECTOR | 7 << spec.MSI_MODE_SHIFT | spec.MSI_LEVEL)
    interrupt(
        machine, entry | logical << 11 | destination << 56, kernel_of(machine, f["owner"])["boot_core"], now
    )
