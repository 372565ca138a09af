"""Looks at the text screen: when it has changed, and when it has come to rest. What changed, observers tell.

The owner's stores to its screen are plain stores, which nobody counts. So the screen is compared with what it
was, a thousand times a second of virtual time, at the end of a slice: always at the same moments of the same
run, whether or not anybody watches, and without a part in it.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE
from mksim.hw import vga
from mksim.hw.vga import VGA
from mksim.spec.memmap import SCREEN as SCREEN_MEMORY
from mksim.spec.memmap import SCREEN_SIZE
from mksim.spec.vga import CELLS

SCREEN = np.dtype(
    [
        ("rest", "<i8"),  # when it is at rest, if it has changed, or NEVER
        ("latest", "<i8"),  # when it counts as at rest although it goes on changing, or NEVER
        ("cells", "<u2", CELLS),  # as it was at the last look
    ]
)
UNCHANGED, CHANGED, AT_REST = range(3)

LOOKS = 1000
"""In a second."""
REST = 100
LATEST = 5000
"""Looks: what changes more often than ten times a second is told every five seconds."""
_MASK = SCREEN_SIZE // 2 - 1


@native
def vga_of(machine: np.void) -> np.void:
    """Return the record of the VGA."""
    return carray(pointer(machine["vga"]), 1, VGA)[0]


@native
def screen_of(machine: np.void) -> np.void:
    """Return the record of the screen as it was at the last look."""
    return carray(pointer(machine["screen"]), 1, SCREEN)[0]


@native
def take(machine: np.void) -> bool:
    """Copy what the screen shows; return whether it has changed."""
    shown, start = screen_of(machine)["cells"], vga.start(vga_of(machine))
    memory = carray(pointer(machine["memory"] + SCREEN_MEMORY), SCREEN_SIZE // 2, np.uint16)
    changed = False
    for index in range(CELLS):
        cell = memory[(start + index) & _MASK]
        changed = changed or cell != shown[index]
        shown[index] = cell
    return changed


@outlined(MACHINE)
def look(machine: np.void, now: int) -> int:
    """Look at the screen, and set when to look next; return what there is to tell."""
    period = machine["rate"] // LOOKS
    machine["screen_due"] = (now // period + 1) * period
    screen = screen_of(machine)
    changed = take(machine)
    if changed:
        screen["rest"] = now + REST * period
        screen["latest"] = min(screen["latest"], now + LATEST * period)
    if now >= min(screen["rest"], screen["latest"]):
        screen["rest"] = screen["latest"] = NEVER
        return AT_REST
    return CHANGED if changed else UNCHANGED
