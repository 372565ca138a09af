"""A look at the guest's code at RIP, for the few instructions that must be decoded by hand."""

import numpy as np
from numba import njit

from mksim.engine.native import cpu_memory_rw_debug


@njit(cache=True, error_model="numpy")
def code_bytes(engine: np.void, env: np.void) -> int:
    """Return the 8 bytes at CS:RIP, little-endian; 0 if they are not mapped."""
    code = np.zeros(1, np.int64)
    address = np.uint64(env["cs_base"] + env["eip"])
    if cpu_memory_rw_debug(engine["cpu"], address, code.ctypes.data, 8, False) != 0:
        # the page may end in fewer bytes than eight
        cpu_memory_rw_debug(engine["cpu"], address, code.ctypes.data, 2, False)
    return code[0]
