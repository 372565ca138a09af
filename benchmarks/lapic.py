"""What does an access to the local APIC's page cost? Reads and writes of TPR, less the empty loop."""

from statistics import median

from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import Row

COUNT, REPEATS = 4_000_000, 5


def rows() -> list[Row]:
    return [
        Row(name=f"local APIC {what}", value=cost(what), unit="ns", better="lower", goal=60)
        for what in ("read", "write")
    ]


def cost(what: str, count: int = COUNT, repeats: int = REPEATS) -> float:
    """Return nanoseconds of processor time per access."""
    return median(seconds(what, count) - seconds("", count) for _ in range(repeats)) / count * 1e9


def seconds(what: str, count: int) -> float:
    return finish(started(layout_of("lapic", loop=f"count={count} {what}"))).cpu
