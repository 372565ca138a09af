"""I/O in ring 3: by IOPL, or by the bit map in the TSS. SDM vol. 1, 19.5.

Unicorn has taken this out of QEMU (target/i386/seg_helper.c of 5.0.1, check_io).
"""

import numpy as np

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import HF_CPL, HF_PE, PRESENT
from mksim.engine.gates import kernel_mode
from mksim.engine.qemu import raise_exception_err_ra

_VM, _IOPL_SHIFT = 1 << 17, 12
_MAP_BASE, _SMALLEST = 0x66, 103
"""Of a TSS: where the offset of the map is, and the least limit of one that can have it."""
_TASK, _BUSY = 9, 11
_GP = 13


@native
def mapped(engine: np.void, env: np.void, port: int, size: int) -> bool:
    """Tell whether the TSS opens all of these ports."""
    limit, kind = np.int64(env["tr_limit"]), (np.int64(env["tr_flags"]) >> 8) & 0xF
    if np.int64(env["tr_flags"]) & PRESENT == 0 or kind not in (_TASK, _BUSY) or limit < _SMALLEST:
        return False
    where, base, mode = engine["env"], env["tr_base"], kernel_mode(env)
    offset = np.int64(qemu.lduw(where, base + _MAP_BASE, mode, 0)) + (port >> 3)
    if offset + 1 > limit:
        return False
    bits = np.int64(qemu.lduw(where, base + offset, mode, 0)) >> (port & 7)
    return bits & ((1 << size) - 1) == 0


@native
def check_ports(engine: np.void, env: np.void, port: int, size: int) -> None:
    """Raise #GP, at an instruction whose RIP is exact, if it may not touch these ports."""
    if env["hflags"] & HF_PE == 0:
        return
    trusted = env["hflags"] & HF_CPL <= (env["eflags"] >> _IOPL_SHIFT) & 3 and env["eflags"] & _VM == 0
    if not trusted and not mapped(engine, env, port, size):
        raise_exception_err_ra(engine["env"], _GP, 0, 0)
