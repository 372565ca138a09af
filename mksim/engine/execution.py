"""From the scheduler to translated code and back: what uc_emu_start does, without what no slice needs.

Unicorn's start writes RIP by name, clears lists of hooks and looks for exits; here only QEMU's main loop is
called (accel/tcg/cpu-exec.c of 5.0.1), as Unicorn calls it (softmmu/cpus.c), until something ends the slice.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.cpustate import CPU, UC
from mksim.engine.qemu import cpu_exec, pointer

_HALTED_FOR_GOOD = 0x10001
"""EXCP_HLT: QEMU's main loop came back because the CPU has nothing to do."""


@native(inline=True)
def leave(engine: np.void) -> None:
    """Return from a helper behind which a block ends, RIP being where to go on.

    Such a block ends as one does that was asked to before it began. RIP would be set back to its start, but
    for `quit_request`.
    """
    carray(pointer(engine["uc"]), 1, UC)[0]["quit_request"] = 1


@native(inline=True)
def end(engine: np.void) -> None:
    """Have QEMU's main loop come back when the block at hand is left."""
    carray(pointer(engine["uc"]), 1, UC)[0]["stop_request"] = 1
    carray(pointer(engine["cpu"]), 1, CPU)[0]["exit_request"] = 1


@native(inline=True)
def execute(engine: np.void) -> np.int64:
    """Run an engine from its state on until it is stopped; return Unicorn's error, 0 for none."""
    uc = carray(pointer(engine["uc"]), 1, UC)[0]
    cpu = carray(pointer(engine["cpu"]), 1, CPU)[0]
    uc["level"] = 1
    uc["emulation_done"] = uc["stop_request"] = uc["invalid_error"] = 0
    cpu["created"], cpu["stop"], cpu["stopped"] = 1, 0, 0
    while True:
        uc["quit_request"] = uc["recursion"] = 0
        cpu["halted"], cpu["exit_request"], cpu["exception_index"] = 0, 0, -1
        reason = cpu_exec(engine["uc"], engine["cpu"])
        if uc["stop_request"] != 0 or uc["invalid_error"] != 0 or reason == _HALTED_FOR_GOOD:
            break
    uc["level"], uc["emulation_done"] = 0, 1
    return np.int64(uc["invalid_error"])
