"""What a trace of everything costs a Linux boot, file and all, against the same boot without."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.linux import CORES, KERNEL, REPEATS, boot_seconds
from benchmarks.rows import Row

GOAL = 1.3


def rows() -> Iterator[Row]:
    """Yield a row for each number of cores; none where the images were not fetched."""
    if not KERNEL.exists():
        print("no stock kernels; they are fetched by: make guests", file=sys.stderr)
        return
    for cores in CORES:
        rounds = [(_traced(cores), boot_seconds(cores)) for _ in range(REPEATS)]
        yield Row(
            name=f"Linux to init's end, traced, {cores} core(s)", value=median(ours for ours, _ in rounds),
            unit="s", better="lower", peer="untraced", ratio=median(ours / plain for ours, plain in rounds),
            goal=GOAL,
        )  # fmt: skip


def _traced(cores: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return boot_seconds(cores, f"--trace={Path(folder) / 'run.pftrace'}")
