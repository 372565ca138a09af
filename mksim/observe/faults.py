"""What the IOMMU has refused, in words: device, address, kind and reason."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mksim.engine.records import DMA_IN, DMA_INTERRUPT, DMA_OUT
from mksim.machine.machine import Machine
from mksim.machine.names import device_name
from mksim.spec.vtd import IOAPIC_SOURCE
from mksim.spec.vtd_tables import REASONS

KINDS = {DMA_IN: "read", DMA_OUT: "write", DMA_INTERRUPT: "interrupt"}
_INDEX_SHIFT = 48


def faults(machine: Machine) -> list[dict[str, Any]]:
    """Return the faults that were kept, in order: the first ones."""
    count = min(int(machine.board.machine["dma_fault_count"][0]), len(machine.board.dma_faults))
    return [_fault(machine, record) for record in machine.board.dma_faults[:count]]


def _fault(machine: Machine, record: np.void) -> dict[str, Any]:
    place, kind, where = int(record["place"]), int(record["kind"]), int(record["where"])
    is_ioapic = place & 0xFFFF == IOAPIC_SOURCE
    where = where >> _INDEX_SHIFT & 0xFFFF if kind == DMA_INTERRUPT else where
    return {
        "when_ns": machine.layout.nanoseconds(int(record["when"])),
        "device": f"{place >> 16:04x}:ioapic" if is_ioapic else device_name(place),
        "kind": KINDS[kind],
        "where": f"{where:#x}",
        "reason": REASONS[int(record["reason"])],
    }


def result(machine: Machine) -> dict[str, Any]:
    """Return the IOMMU's part of a summary; nothing where there is none."""
    if machine.layout.iommu is None:
        return {}
    count = int(machine.board.machine["dma_fault_count"][0])
    return {"iommu": {"faults": count, "first": faults(machine)}}


def lines(told: dict[str, Any], shown: int) -> Iterator[str]:
    """Yield that part as lines."""
    if not told.get("faults"):
        return
    yield f"iommu    {told['faults']:,} faults"
    for fault in told["first"][:shown]:
        yield (
            f"fault    device {fault['device']} {fault['kind']} {fault['where']}: "
            f"{fault['reason']}, {fault['when_ns']} ns"
        )
    if (more := told["faults"] - shown) > 0:
        yield f"fault    ... and {more:,} more"
