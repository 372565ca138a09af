"""TR and SS: null selectors that QEMU takes and a CPU refuses.

LTR of QEMU 5.0 takes a null selector and empties TR; QEMU aborts, the whole simulator with it, when a stack
is to come from that (SDM vol. 2A, LTR). In 64-bit mode SS may be null, but not with another RPL than CPL (SDM
vol. 2B, MOV).
"""

from numba import types

from mksim.engine import qemu
from mksim.engine.checked import Checked
from mksim.engine.cpustate import CPU_ENV, HF_CPL, HF_CS64
from mksim.engine.entry import entry
from mksim.engine.qemu import raise_exception_err_ra
from mksim.engine.records import env_at
from mksim.engine.softmmu import engine_on

_INDEX = 0xFFFC
_SS = 2
_GP = 13


@entry(types.void(types.int64, types.int32))
def helper_ltr(where: int, selector: int) -> None:
    """In place of QEMU's LTR; RIP and the flags are exact where translated code calls this."""
    if engine_on(where - CPU_ENV) != 0 and selector & _INDEX == 0:
        raise_exception_err_ra(where, _GP, 0, 0)
    qemu.helper_ltr(where, selector)


@entry(types.void(types.int64, types.int32, types.int32, types.int64))
def check_load_seg(where: int, register: int, selector: int, code: int) -> None:
    """Before a load of a segment register in protected mode."""
    if register != _SS or selector & _INDEX != 0 or engine_on(where - CPU_ENV) == 0:
        return
    flags = env_at(where)["hflags"]
    if flags & HF_CS64 != 0 and selector & HF_CPL != flags & HF_CPL:
        raise_exception_err_ra(where, _GP, 0, code)


FUNCTIONS = (helper_ltr, Checked("helper_load_seg", check_load_seg, 3))
