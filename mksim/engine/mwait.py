"""MONITOR and MWAIT: how a parked core waits for a store (SDM vol. 3A, 10.10).

No access is hooked for it: MONITOR keeps a copy of its line, and after every slice the lines of waiting
cores are compared. A store of the value that was there already wakes nobody: the one deviation.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.cpustate import RAX
from mksim.engine.entry import outlined
from mksim.engine.interrupts import settle
from mksim.engine.qemu import pointer, x86_cpu_get_phys_page_attrs_debug
from mksim.engine.records import MACHINE, MWAITING, RUNNING, core_of
from mksim.spec.memmap import PAGE_SHIFT

_LINE = 64
_R = 1  # ownership.Rights.R, a plain number for Numba


@native
def line(machine: np.void, address: int) -> np.ndarray:
    """Return the 64-byte line at a physical address as 8 words."""
    return carray(pointer(machine["memory"] + address), 8, np.int64)


@native
def arm_monitor(engine: np.void, machine: np.void, env: np.void) -> None:
    """MONITOR: remember the line at DS:RAX as it is now; a line outside DRAM arms nothing."""
    core = core_of(machine, engine["core"])
    linear = env["regs"][RAX]
    attributes = np.zeros(1, np.int64)
    found = x86_cpu_get_phys_page_attrs_debug(engine["cpu"], np.uint64(linear), attributes.ctypes.data)
    page = np.int64(found)
    address = page | (linear & 0xFC0)
    core["line"] = -1
    if page >= 0 and address <= machine["memory_size"] - _LINE and may_read(engine, address):
        core["line"] = address
        core["line_copy"][:] = line(machine, address)


@native
def may_read(engine: np.void, address: int) -> bool:
    """Tell whether the engine's kernel may read a page: nobody is woken by what he may not see."""
    rights = carray(pointer(engine["rights"] + (address >> PAGE_SHIFT)), 1, np.uint8)
    return rights[0] & _R != 0


@outlined(MACHINE)
def wake_monitors(machine: np.void, writer: int, now: int) -> None:
    """After a slice of core `writer` that ended at `now`: wake the cores whose monitored line has changed."""
    for index in range(machine["n_cores"]):
        core = core_of(machine, index)
        if core["state"] == MWAITING and index != writer and changed(machine, core):
            core["state"] = RUNNING
            core["line"] = -1
            core["time"] = max(core["time"], now)
            settle(machine, index)


@native
def changed(machine: np.void, core: np.void) -> bool:
    """Tell whether a core's monitored line differs from its copy."""
    current = line(machine, core["line"])
    for word in range(8):
        if current[word] != core["line_copy"][word]:
            return True
    return False
