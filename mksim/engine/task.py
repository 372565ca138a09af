"""The task register, kept such that QEMU can read it.

QEMU 5.0 aborts, and the whole simulator with it, when a stack is to come from a TR that LTR of a null
selector has emptied. So an empty TR becomes a TSS without room: #TS.
"""

from numba import types

from mksim.engine import native
from mksim.engine.cpustate import CPU_ENV, PRESENT, TSS
from mksim.engine.entry import entry
from mksim.engine.records import env_at
from mksim.engine.softmmu import engine_on


@entry(types.void(types.int64, types.int32))
def helper_ltr(where: int, selector: int) -> None:
    """In place of QEMU's LTR; RIP and the flags are exact where translated code calls this."""
    native.helper_ltr(where, selector)
    env = env_at(where)
    if engine_on(where - CPU_ENV) != 0 and env["tr_flags"] & PRESENT == 0:
        env["tr_flags"], env["tr_limit"] = TSS, 0


FUNCTIONS = (helper_ltr,)
