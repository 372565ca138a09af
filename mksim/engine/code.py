"""A look at the guest's code at RIP, for the few instructions that must be decoded by hand."""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.engine.qemu import cpu_memory_rw_debug
from mksim.spec.memmap import PAGE


@native
def code_bytes(engine: np.void, env: np.void) -> int:
    """Return the 8 bytes at CS:RIP, little-endian; 0 if they are not mapped."""
    code = np.zeros(1, np.int64)
    address = np.uint64(env["cs_base"] + env["eip"])
    if cpu_memory_rw_debug(engine["cpu"], address, code.ctypes.data, 8, False) != 0:
        # the page may end in fewer bytes than eight
        cpu_memory_rw_debug(engine["cpu"], address, code.ctypes.data, 2, False)
    return code[0]


PREFIXES = (0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3)
"""Legacy prefixes (SDM vol. 2A, 2.1.1)."""
LONGEST = 15
"""Bytes of an instruction, at the most (SDM vol. 2A, 2.3.11)."""


@native
def instruction_bytes(engine: np.void, env: np.void) -> np.ndarray:
    """Return the bytes that the instruction at CS:RIP may have; zeros where they are not mapped."""
    code = np.zeros(16, np.uint8)
    address, start = np.int64(env["cs_base"] + env["eip"]), code.ctypes.data
    first: Any = min(PAGE - (address & (PAGE - 1)), LONGEST)
    cpu_memory_rw_debug(engine["cpu"], np.uint64(address), start, first, False)
    if first < LONGEST:
        cpu_memory_rw_debug(engine["cpu"], np.uint64(address + first), start + first, LONGEST - first, False)
    return code
