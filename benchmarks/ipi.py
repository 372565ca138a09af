"""How fast can two sleeping kernels wake each other? An interrupt there, HLT, an interrupt back."""

from pathlib import Path
from statistics import median

from benchmarks import qemu
from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import OURS, Rates, Row, compare

IMAGE = Path("build/kernels/bench/ipi.elf")
COUNT, QEMU_COUNT, REPEATS = 300_000, 20_000, 3
MULTI, SINGLE = "QEMU -smp 2, thread=multi", "QEMU -smp 2, thread=single"
WALL = "mksim, by the wall"


def rows() -> list[Row]:
    rates = measure()
    wall = {OURS: rates[WALL]} | ({MULTI: rates[MULTI]} if MULTI in rates else {})
    return [
        Row(name="IPI round trips", value=median(rates[OURS]), unit="1/s", goal=1e6),
        compare("IPI round trips, multi", "1/s", wall, MULTI, 10.0),
        compare("IPI round trips, single", "1/s", rates, SINGLE, 2.0),
    ]


def measure(count: int = COUNT, repeats: int = REPEATS) -> Rates:
    """Return round trips per second of processor time, but by the wall where two threads take turns."""
    rates: Rates = {OURS: [], WALL: []}
    for _ in range(repeats):
        took = finish(started(layout_of("ipi", alice=f"count={count} serve", bob=f"count={count}")))
        rates[OURS].append(count / took.cpu)
        rates[WALL].append(count / took.wall)
        if qemu.installed():
            rates.setdefault(MULTI, []).append(QEMU_COUNT / peer("multi").wall)
            rates.setdefault(SINGLE, []).append(QEMU_COUNT / peer("single").cpu)
    return rates


def peer(thread: str) -> qemu.Took:
    """Play the same on two cores of one QEMU."""
    return qemu.run(IMAGE, f"count={QEMU_COUNT}", "-smp", "2", "-accel", f"tcg,thread={thread}")
