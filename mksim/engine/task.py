"""The task register, kept such that QEMU can read it.

QEMU 5.0 aborts, and the whole simulator with it, when a stack is to come from a TR that LTR of a null
selector has emptied. So LTR is intercepted and let through once; an empty TR then becomes a TSS without
room: #TS.
"""

import numpy as np
from numba import njit

from mksim.engine.cpustate import INTERCEPT_TR_WRITE, LTR_NEXT, PRESENT, TSS


@njit(cache=True, error_model="numpy")
def secure_task(env: np.void) -> None:
    """Replace an empty TR; before every delivery of an exception."""
    if env["tr_flags"] & PRESENT == 0:
        env["tr_flags"], env["tr_limit"] = TSS, 0


@njit(cache=True, error_model="numpy")
def let_pass(engine: np.void, env: np.void) -> None:
    """LTR, intercepted: let it run as the first instruction of the next block."""
    env["intercept"] = (env["intercept"] & ~INTERCEPT_TR_WRITE) | LTR_NEXT
    engine["limit"] = 0


@njit(cache=True, error_model="numpy")
def watch_task(engine: np.void, env: np.void) -> None:
    """Before a block, while LTR is let through: look again before the next one, then intercept LTR again."""
    secure_task(env)
    if env["intercept"] & LTR_NEXT != 0:
        env["intercept"] &= ~LTR_NEXT
        engine["limit"] = engine["time"]
    else:
        env["intercept"] |= INTERCEPT_TR_WRITE
