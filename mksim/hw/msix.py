"""MSI-X: a function's table of messages, and those that are held back. PCI 3.0, 6.8.2.

The table is in the function's memory, the pending bits 2 KiB behind it. All arguments are int64.
"""

import numpy as np

from mksim.compiled import native

# fmt: off
ENTRIES_MAX = 16
MSIX = np.dtype([
    ("count",   np.int64),                  # of entries
    ("words",   np.int64, 4 * ENTRIES_MAX),  # of each: address, its upper half, data, control
    ("pending", np.int64),                  # bit per entry
])
# fmt: on

PENDING_AT = 0x800
_CONTROL = 3
_MASKED = 1


@native
def reset(m: np.void, entries: int) -> None:
    """Power on: there are so many entries, all masked."""
    m["count"] = entries
    m["words"][:] = 0
    m["pending"] = 0
    for entry in range(entries):
        m["words"][4 * entry + _CONTROL] = _MASKED


@native
def read(m: np.void, offset: int) -> int:
    """Read 32 bits."""
    if offset == PENDING_AT:
        return m["pending"]
    return m["words"][offset >> 2] if offset >> 2 < 4 * m["count"] else 0


@native
def write(m: np.void, offset: int, value: int) -> None:
    """Write 32 bits of the table. What is pending is to be looked for then, with `take`."""
    word = offset >> 2
    if word >= 4 * m["count"]:
        return
    if word & 3 == _CONTROL:
        value &= _MASKED
    m["words"][word] = value & 0xFFFFFFFF


@native
def post(m: np.void, entry: int) -> None:
    """Ask for a message; `take` says when it is to be sent."""
    if 0 <= entry < m["count"]:
        m["pending"] |= 1 << entry


@native
def is_masked(m: np.void, entry: int) -> bool:
    """Tell whether a message is held back."""
    return m["words"][4 * entry + _CONTROL] & _MASKED != 0


@native
def take(m: np.void) -> int:
    """Return a message that is to be sent and is not masked, and forget it; -1 if there is none."""
    for entry in range(m["count"]):
        if m["pending"] >> entry & 1 and not m["words"][4 * entry + _CONTROL] & _MASKED:
            m["pending"] &= ~(1 << entry)
            return entry
    return -1


@native
def address(m: np.void, entry: int) -> int:
    """Return where a message is written to."""
    return m["words"][4 * entry + 1] << 32 | m["words"][4 * entry]


@native
def data(m: np.void, entry: int) -> int:
    """Return what is written there."""
    return m["words"][4 * entry + 2]
