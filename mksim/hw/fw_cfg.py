"""QEMU's firmware configuration device: docs/specs/fw_cfg.rst of QEMU. Each kernel has one of its own.

Its items are bytes that never change: `items` says which of `data` are whose. Left out: DMA, and writing.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import fw_cfg as spec

# fmt: off
FW_CFG = np.dtype([
    ("first", np.int64),    # its items are neighbours in the array of all
    ("count", np.int64),
    ("at",    np.int64),    # of the next byte, in the data of all
    ("end",   np.int64),    # of the selected item
])

ITEM = np.dtype([
    ("key",  np.int64),
    ("at",   np.int64),
    ("size", np.int64),
])
# fmt: on


@native
def reset(f: np.void) -> None:
    """Power on: no item is selected."""
    f["at"] = f["end"] = 0


@native
def select(f: np.void, items: np.ndarray, key: int) -> None:
    """Begin to read an item."""
    f["at"] = f["end"] = 0
    for index in range(f["first"], f["first"] + f["count"]):
        if items[index]["key"] == key & spec.KEY_MASK:
            f["at"] = items[index]["at"]
            f["end"] = items[index]["at"] + items[index]["size"]


@native
def read(f: np.void, data: np.ndarray) -> int:
    """Return the next byte of the selected item; zero behind its end."""
    if f["at"] >= f["end"]:
        return 0
    f["at"] += 1
    return np.int64(data[f["at"] - 1])  # type: ignore[return-value]  # signed, for numba
