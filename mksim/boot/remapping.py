"""The firmware's tables for a unit of the IOMMU: a kernel's devices reach what it owns, and no more.

Interrupts go to the kernel's own cores alone: entry 256 c + v of the interrupt remapping table is vector v of
its core number c, in the order of its config. Formats: Intel VT-d 3.3, § 9.
"""

from collections.abc import Sequence

import numpy as np

from mksim.spec import vtd_tables as spec
from mksim.spec.memmap import PAGE
from mksim.spec.vtd import EIME

ROOT, CONTEXTS, INTERRUPTS = 0, PAGE, 2 * PAGE
"""Where in a unit's area its tables are; those of pages follow the interrupts'."""
FIRST_VECTOR = 16
_ENTRIES = PAGE // 8
_VECTORS = 256
_DOMAIN = 1
_XAPIC_MAX = 255


def tables(base: int, rights: np.ndarray, apic_ids: Sequence[int], interrupt_pages: int) -> np.ndarray:
    """Return all tables as words of 64 bits, for an area at `base`: `rights` are a kernel's, by page."""
    pages_at = base + INTERRUPTS + interrupt_pages * PAGE
    fixed = np.zeros((2 + interrupt_pages, _ENTRIES), np.uint64)
    fixed[0, 0] = base + CONTEXTS | spec.PRESENT
    fixed[1, 0::2] = pages_at | spec.PRESENT
    fixed[1, 1::2] = _DOMAIN << spec.DID_SHIFT | spec.AW_39
    entries = interrupts(apic_ids)
    fixed[2:].reshape(-1)[: len(entries)] = entries
    return np.concatenate([fixed, second_level(rights, pages_at)]).reshape(-1)


def table_address(base: int, apic_ids: Sequence[int], interrupt_pages: int) -> int:
    """Return what IRTA_REG is to be for an area at `base`."""
    size = (interrupt_pages * PAGE // spec.ENTRY).bit_length() - 2
    return base + INTERRUPTS | size | (EIME if wide(apic_ids) else 0)


def wide(apic_ids: Sequence[int]) -> bool:
    """Tell whether destinations need 32 bits."""
    return max(apic_ids) >= _XAPIC_MAX


def interrupts(apic_ids: Sequence[int]) -> np.ndarray:
    """Return entries for the cores with these APIC IDs, from any source behind the unit."""
    found = np.zeros((len(apic_ids), _VECTORS, 2), np.uint64)
    for core, apic_id in enumerate(apic_ids):
        destination = apic_id if wide(apic_ids) else apic_id << 8
        vectors = np.arange(FIRST_VECTOR, _VECTORS, dtype=np.uint64)
        common = np.uint64(destination << spec.DST_SHIFT | spec.PRESENT)
        found[core, FIRST_VECTOR:, 0] = vectors << np.uint64(spec.VECTOR_SHIFT) | common
    return found.reshape(-1)


def second_level(rights: np.ndarray, base: int) -> np.ndarray:
    """Return page tables of three levels, a row each, that map memory to itself as far as rights go."""
    allowed = np.zeros(-(-len(rights) // _ENTRIES**2) * _ENTRIES**2, np.uint64)
    allowed[: len(rights)] = rights & (spec.READ | spec.WRITE)
    frames = np.arange(len(allowed), dtype=np.uint64) << np.uint64(spec.PAGE_BITS)
    leaves = np.where(allowed == 0, np.uint64(0), frames | allowed).reshape(-1, _ENTRIES)
    alike = (allowed.reshape(-1, _ENTRIES) == allowed[::_ENTRIES, None]).all(axis=1)
    mixed = np.flatnonzero(~alike)
    count = len(leaves) // _ENTRIES  # of directories, behind the topmost table
    directories = np.where(leaves[:, 0] == 0, np.uint64(0), leaves[:, 0] | np.uint64(spec.LARGE))
    directories[mixed] = _pointers(base + (1 + count) * PAGE, len(mixed))
    top = np.zeros((1, _ENTRIES), np.uint64)
    top[0, :count] = _pointers(base + PAGE, count)
    return np.concatenate([top, directories.reshape(-1, _ENTRIES), leaves[mixed]])


def _pointers(base: int, count: int) -> np.ndarray:
    """Return entries that point to tables one after another."""
    at = base + np.arange(count, dtype=np.uint64) * np.uint64(PAGE)
    return at | np.uint64(spec.READ | spec.WRITE)
