"""What does DMA cost? Blocks of 4 MiB from a disk: through the IOMMU, and as crossings in the ledger."""

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import Row
from mksim.machine.devices import Device, Kind
from mksim.machine.remapping import Iommu
from mksim.spec.memmap import PAGE

COUNT, REPEATS = 250, 3
BLOCK = 4 << 20
OWN, NOBODYS = 0xC00000, 0x1800000
"""Where the blocks go: to memory of the kernel's, or to nobody's, a crossing for each page."""


def rows() -> list[Row]:
    """Return the rate through the IOMMU, and what 1,000 crossings take of a second."""
    plain, behind, crossing = measure()
    rate = BLOCK * COUNT / behind / 1e9
    each = (crossing - plain) / (COUNT * BLOCK // PAGE)
    return [
        Row(name="DMA through the IOMMU", value=rate, unit="GB/s", goal=1.0),
        Row(name="DMA without one", value=BLOCK * COUNT / plain / 1e9, unit="GB/s"),
        Row(name="1,000 DMA crossings, of a second", value=1e5 * each, unit="%", better="lower", goal=1.0),
    ]


def measure(count: int = COUNT, repeats: int = REPEATS) -> tuple[float, float, float]:
    """Return seconds of processor time: plain, behind an IOMMU, and with a crossing for each page."""
    iommu = Iommu(interrupt_remapping=False)
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(BLOCK)
        ways = ((OWN, None), (OWN, iommu), (NOBODYS, None))
        rounds = [[run(Path(file.name), count, at, way) for at, way in ways] for _ in range(repeats)]
    plain, behind, crossing = (median(column) for column in zip(*rounds, strict=True))
    return plain, behind, crossing


def run(file: Path, count: int, at: int, iommu: Iommu | None) -> float:
    device = Device(name="disk", kind=Kind.DISK, owner="mover", slot=1, file=file, size=BLOCK)
    layout = layout_of("dma", mover=f"count={count} at={at}")
    return finish(started(replace(layout, devices=(device,), iommu=iommu))).cpu
