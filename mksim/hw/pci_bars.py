"""The address map of PCI memory: where the base addresses of functions answer. PCI 3.0, 6.2.5.1.

Two answers for an address do not happen: a base address that would overlap another's, or leave the memory of
PCI, is refused, and what answered before goes on. (On real boards that is undefined.)

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw.pci_config import register
from mksim.spec import pci as spec
from mksim.spec.memmap import PCI_MEMORY, PCI_MEMORY_END

FITS, OUTSIDE = -1, -2
"""Answers of `obstacle` beside the index of a function."""


@native
def asked(f: np.void, bar: int) -> int:
    """Return where the registers want a base address to be; -1 where memory is switched off."""
    if register(f, spec.COMMAND, 2) & spec.COMMAND_MEMORY == 0 or f["bar_size"][bar] == 0:
        return -1
    at = spec.BASE_ADDRESS + 4 * bar
    low = register(f, at, 4)
    high = register(f, at + 4, 4) if low & spec.BASE_64 else np.int64(0)
    return (high << 32 | low & ~spec.BASE_FLAGS) & 0x7FFFFFFFFFFFFFFF


@native
def obstacle(functions: np.ndarray, index: int, bar: int, base: int) -> int:
    """Return who answers already in the way of a base address: FITS, OUTSIDE, or a function's index."""
    size = functions[index]["bar_size"][bar]
    if base < PCI_MEMORY or base > PCI_MEMORY_END - size:
        return OUTSIDE
    for other in range(len(functions)):
        for number in range(spec.BASE_ADDRESSES):
            there = functions[other]["bar_base"][number]
            if there < 0 or (other == index and number == bar):
                continue
            if base < there + functions[other]["bar_size"][number] and there < base + size:
                return other
    return FITS


@native
def remap(functions: np.ndarray, index: int) -> int:
    """Move a function's base addresses to where its registers say; return the last obstacle that was met."""
    met = FITS
    for bar in range(spec.BASE_ADDRESSES):
        base = asked(functions[index], bar)
        if base == functions[index]["bar_base"][bar]:
            continue
        found = FITS if base < 0 else obstacle(functions, index, bar, base)
        if found == FITS:
            functions[index]["bar_base"][bar] = base
        else:
            met = found
    return met


@native
def answering(functions: np.ndarray, address: int) -> int:
    """Return who answers at an address: function * BASE_ADDRESSES + number of the base address, or -1."""
    for index in range(len(functions)):
        for bar in range(spec.BASE_ADDRESSES):
            base = functions[index]["bar_base"][bar]
            if 0 <= base <= address < base + functions[index]["bar_size"][bar]:
                return index * spec.BASE_ADDRESSES + bar
    return -1
