"""Machine checks: how a guarded fabric tells a kernel that it reached for what is not its own.

One bank. The check is precise where Unicorn knows the instruction: the access has not happened, and RIP is
at it. SDM vol. 3B, chapter 17.
"""

import numpy as np

from mksim.compiled import native
from mksim.engine.cpustate import CR4_MCE
from mksim.engine.entry import outlined
from mksim.engine.qemu import raise_exception_err_ra
from mksim.engine.records import CORE, ENGINE, MACHINE, MACHINE_CHECK_STOP, core_of, engine_of, env_at

# IA32_MCG_STATUS (17.3.1.2)
RIPV, EIPV, MCIP = 1, 2, 4
# IA32_MCi_STATUS (17.3.2.2): valid, uncorrected, enabled, address valid
_VALID, _UNCORRECTED, _ENABLED, _ADDRESS_VALID = -(1 << 63), 1 << 61, 1 << 60, 1 << 58
# Bus and interconnect errors (17.9.2): 0000_1PPT_RRRR_IILL, the originator, no timeout, generic level
BUS_READ, BUS_WRITE, BUS_FETCH, BUS_IO, BUS_MESSAGE = 0x0813, 0x0823, 0x0853, 0x081B, 0x080F

VECTOR = 18


@native
def shutdown(engine: np.void) -> None:
    """The core cannot take a machine check: it shuts down, and its kernel with it."""
    engine["request"] = MACHINE_CHECK_STOP
    engine["limit"] = 0


@native
def log_check(core: np.void, kind: int, where: int) -> None:
    """Fill the bank with what went wrong and where: an address, a port or an ICR vector."""
    core["mc_status"] = _VALID | _UNCORRECTED | _ENABLED | _ADDRESS_VALID | kind
    core["mc_address"] = where


@outlined(MACHINE)
def post(machine: np.void, index: int, kind: int, where: int) -> None:
    """Give a core a machine check that it takes before its next block."""
    core = core_of(machine, index)
    log_check(core, kind, where)
    core["machine_check"] = 1
    engine_of(machine, core["engine"])["limit"] = 0


@outlined(ENGINE, CORE)
def throw(engine: np.void, core: np.void, kind: int, where: int, from_code: int) -> None:
    """Raise a machine check at the instruction that does the access; returns only if the core shuts down.

    `from_code` is the return address in translated code, or 0 where RIP is exact already.
    """
    log_check(core, kind, where)
    if env_at(engine["env"])["cr"][4] & CR4_MCE == 0 or core["mcg_status"] & MCIP != 0:
        shutdown(engine)
        return
    core["mcg_status"] |= MCIP | EIPV | RIPV
    raise_exception_err_ra(engine["env"], VECTOR, 0, from_code)
