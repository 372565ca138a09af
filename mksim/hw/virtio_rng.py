"""A virtio entropy device: Virtio 1.1, 5.4. Its bytes come from a seed (xorshift64*), the same in every run.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native

# fmt: off
ENTROPY = np.dtype([
    ("state",   np.int64),      # never 0
])
# fmt: on


@native
def fill(e: np.void, to: np.ndarray, size: int) -> None:
    """Write so many random bytes."""
    for at in range(0, size, 4):
        word = _draw(e)
        for byte in range(min(4, size - at)):
            to[at + byte] = word >> (8 * byte) & 0xFF


@native
def _draw(e: np.void) -> int:
    """Draw 32 bits."""
    state = e["state"]
    state ^= state >> 12 & 0xFFFFFFFFFFFFF
    state ^= state << 25
    state ^= state >> 27 & 0x1FFFFFFFFF
    e["state"] = state
    return state * 0x2545F4914F6CDD1D >> 32 & 0xFFFFFFFF
