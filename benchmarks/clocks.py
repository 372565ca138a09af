"""How long something took: by the wall, and by the processors. Seconds.

One thread that never sleeps is best timed by its processor: a host that does other things too does not count.
"""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Took:
    """A stretch of time."""

    wall: float
    cpu: float

    def __sub__(self, earlier: "Took") -> "Took":
        return Took(self.wall - earlier.wall, self.cpu - earlier.cpu)


def now() -> Took:
    """Return this process's clocks; differences are times."""
    return Took(time.perf_counter(), time.process_time())
