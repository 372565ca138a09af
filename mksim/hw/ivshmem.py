"""An ivshmem device, version 2: its registers, and what is on its way to it. See spec/ivshmem.py.

Who rings a doorbell, or changes his state, is heard by the others later, as over any distance: what is on
its way waits in `when` and `vector`, in the order in which it was sent. Left out: output sections, and shared
memory that can be moved.

All arguments are int64.
"""

import numpy as np

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.hw import msix
from mksim.hw.msix import MSIX
from mksim.spec import ivshmem as spec

# fmt: off
IVSHMEM = np.dtype([
    ("link",     np.int64),                 # which devices are peers: of the same link, from 1 on
    ("id",       np.int64),
    ("peers",    np.int64),
    ("owner",    np.int64),                 # the kernel that it is of
    ("table",    np.int64),                 # address of the state table
    ("enabled",  np.int64),
    ("state",    np.int64),
    ("shows",    np.int64),                 # when the table is to show that, or NEVER
    ("first",    np.int64),                 # of what is on its way
    ("flying",   np.int64),
    ("when",     np.int64, spec.FLYING),
    ("vector",   np.int64, spec.FLYING),
    ("messages", MSIX),
])
# fmt: on


@native
def power_up(d: np.void) -> None:
    """Power on."""
    d["enabled"] = d["state"] = d["first"] = d["flying"] = 0
    d["shows"] = NEVER
    msix.reset(d["messages"], spec.VECTORS)


@native
def read(d: np.void, offset: int, size: int) -> int:
    """Read a register."""
    if size != 4:
        return 0
    if offset == spec.ID:
        return d["id"]
    if offset == spec.PEERS:
        return d["peers"]
    if offset == spec.INTERRUPTS:
        return d["enabled"]
    return d["state"] if offset == spec.STATE else 0


@native
def deadline(d: np.void) -> int:
    """Return when a doorbell arrives, or its state is shown, or NEVER."""
    return min(d["shows"], d["when"][d["first"]]) if d["flying"] > 0 else d["shows"]


@native
def ring(d: np.void, vector: int, when: int) -> None:
    """Ring a device's doorbell, to be heard at `when`. Too many at once: the last takes another's place."""
    if d["flying"] < spec.FLYING:
        d["flying"] += 1
    last = (d["first"] + d["flying"] - 1) % spec.FLYING
    d["when"][last], d["vector"][last] = when, vector


@native
def heard(d: np.void, now: int) -> int:
    """Return the vector of a doorbell that has arrived by now, and forget it; -1 if there is none."""
    if d["flying"] == 0 or d["when"][d["first"]] > now:
        return np.int64(-1)  # type: ignore[return-value]  # signed, for numba
    vector = d["vector"][d["first"]]
    d["first"] = (d["first"] + 1) % spec.FLYING
    d["flying"] -= 1
    return vector


@native
def change(d: np.void, state: int, when: int) -> bool:
    """Take a state, to be shown at `when`; tell whether it is a new one, so that the others hear of it."""
    if d["state"] == state:
        return False
    d["state"], d["shows"] = state, when
    return True


@native
def shown(d: np.void) -> None:
    """The table shows its state."""
    d["shows"] = NEVER


@native
def interrupt(d: np.void, vector: int, one_shot: bool) -> None:
    """Interrupt the driver, if it wants that. What its entry masks is lost; what the function masks waits."""
    if d["enabled"] == 0 or not 0 <= vector < spec.VECTORS or msix.is_masked(d["messages"], vector):
        return
    msix.post(d["messages"], vector)
    if one_shot:
        d["enabled"] = 0
