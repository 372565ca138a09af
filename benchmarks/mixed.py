"""Does ownership cost anything? Compiled C on one core of a guarded machine, next to a second kernel."""

from pathlib import Path

from benchmarks import qemu
from benchmarks.bare import Bare
from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import OURS, Rates, Row, compare

IMAGE = Path("build/kernels/bench/mixed.elf")
ROUNDS, REPEATS = 6000, 5
BARE, ICOUNT, TCG = "bare Unicorn", "QEMU -icount", "QEMU TCG"


def rows() -> list[Row]:
    rates = measure()
    return [
        compare("mixed loop", "rounds/s", rates, BARE, 0.95),
        compare("mixed loop, icount", "rounds/s", rates, ICOUNT, 1.0),
        compare("mixed loop, TCG", "rounds/s", rates, TCG, None),
    ]


def measure(rounds: int = ROUNDS, repeats: int = REPEATS) -> Rates:
    """Return rounds per second of processor time."""
    rates: Rates = {OURS: [], BARE: []}
    for _ in range(repeats):
        machine = started(layout_of("mixed", loop=f"rounds={rounds}"))
        bare = Bare(machine, 0)
        rates[OURS].append(rounds / finish(machine).cpu)
        rates[BARE].append(rounds / bare.finish().cpu)
        if qemu.installed():
            icount = qemu.run(IMAGE, f"rounds={rounds}", "-icount", "shift=0,sleep=off")
            plain = qemu.run(IMAGE, f"rounds={rounds}")
            rates.setdefault(ICOUNT, []).append(rounds / icount.cpu)
            rates.setdefault(TCG, []).append(rounds / plain.cpu)
    return rates
