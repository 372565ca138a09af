"""The task register, kept such that QEMU can read it.

LTR of QEMU 5.0 takes a null selector and empties TR; QEMU aborts, the whole simulator with it, when a stack
is to come from that. A CPU refuses it (SDM vol. 2A, LTR).
"""

from numba import types

from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV
from mksim.engine.entry import entry
from mksim.engine.qemu import raise_exception_err_ra
from mksim.engine.softmmu import engine_on

_INDEX = 0xFFFC
_GP = 13


@entry(types.void(types.int64, types.int32))
def helper_ltr(where: int, selector: int) -> None:
    """In place of QEMU's LTR; RIP and the flags are exact where translated code calls this."""
    if engine_on(where - CPU_ENV) != 0 and selector & _INDEX == 0:
        raise_exception_err_ra(where, _GP, 0, 0)
    qemu.helper_ltr(where, selector)


FUNCTIONS = (helper_ltr,)
