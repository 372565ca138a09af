"""What do more kernels cost? 16 and 64 in a circle, each talking to its neighbours."""

import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.boot import Run, boot
from benchmarks.rows import Row

GENERATOR = Path("kernels/many/generate.py")
CONFIGS = Path("build/kernels/bench")
FEW, MANY, REPEATS = 16, 64, 3


def rows() -> list[Row]:
    boot(config(2))  # what Numba compiles is kept for the next runs
    pairs = [(boot(config(FEW)), boot(config(MANY))) for _ in range(REPEATS)]
    return [
        Row(name="64 kernels up and done", value=median(many.wall for _, many in pairs), unit="s",
            better="lower", goal=10.0),
        Row(name="memory of one kernel more", value=median(memory(*pair) for pair in pairs) / 1e6, unit="MB",
            better="lower", goal=20.0),
        Row(name="time of 64 kernels", value=median(growth(*pair) for pair in pairs), unit="x 4 times 16's",
            better="lower", goal=1.0),
    ]  # fmt: skip


def config(kernels: int) -> Path:
    """Return a config of so many kernels, written for the occasion; images are named from kernels/many."""
    text = subprocess.check_output([sys.executable, GENERATOR, str(kernels)], text=True)
    CONFIGS.mkdir(parents=True, exist_ok=True)
    path = CONFIGS / f"many{kernels}.toml"
    path.write_text(text.replace("../../build/kernels/", "../"))
    return path


def memory(few: Run, many: Run) -> float:
    """Return bytes per kernel: what the process itself needs is in both."""
    return (many.rss - few.rss) / (MANY - FEW)


def growth(few: Run, many: Run) -> float:
    """Return how the time of four times the kernels compares with four times the time."""
    return many.cpu / few.cpu / (MANY / FEW)
