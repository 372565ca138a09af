"""How many messages of one cache line pass from kernel to kernel, polled?"""

from statistics import median

from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import Row

COUNT, REPEATS = 2_000_000, 3


def rows() -> list[Row]:
    return [Row(name="URPC messages", value=rate(), unit="1/s", goal=1e6)]


def rate(count: int = COUNT, repeats: int = REPEATS) -> float:
    """Return messages per second of processor time."""
    return median(count / once(count) for _ in range(repeats))


def once(count: int) -> float:
    return finish(started(layout_of("urpc", client=f"count={count} send", server=f"count={count}"))).cpu
