"""Extended state and performance counters: what QEMU takes and a CPU refuses.

Reserved bits of MXCSR are #GP, however they are loaded; XSAVE and XRSTOR are #NM while CR0.TS is set; RDPMC
is #GP as there are no counters. SDM vol. 1, 10.2.3 and 13.7 to 13.9; vol. 2B, RDPMC.
"""

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.checked import Checked
from mksim.engine.cpustate import CPU_ENV
from mksim.engine.entry import entry
from mksim.engine.gates import kernel_mode
from mksim.engine.qemu import raise_exception_err_ra
from mksim.engine.records import env_at
from mksim.engine.softmmu import engine_on

_NM, _GP = 7, 13
_TS, _OSFXSR, _OSXSAVE, _SSE = 1 << 3, 1 << 9, 1 << 18, 1 << 1
_MXCSR_KNOWN = 0xFFFF
_MXCSR_AT = 24
"""Offset of MXCSR in the images of FXSAVE and XSAVE."""
_CPL = 3
_USER_MODE = 1


@native
def check_mxcsr(env: np.void, where: int, image: int, code: int) -> None:
    """Refuse an image whose MXCSR has reserved bits."""
    mode = _USER_MODE if env["hflags"] & _CPL == _CPL else kernel_mode(env)
    if qemu.ldl(where, image + _MXCSR_AT, mode, code) & ~_MXCSR_KNOWN & 0xFFFFFFFF != 0:
        raise_exception_err_ra(where, _GP, 0, code)


@entry(types.void(types.int64, types.uint32, types.int64))
def check_ldmxcsr(where: int, value: int, code: int) -> None:
    """Before LDMXCSR."""
    if engine_on(where - CPU_ENV) != 0 and np.int64(value) > _MXCSR_KNOWN:
        raise_exception_err_ra(where, _GP, 0, code)


@entry(types.void(types.int64, types.int64, types.int64))
def check_fxrstor(where: int, image: int, code: int) -> None:
    """Before FXRSTOR."""
    env = env_at(where)
    if engine_on(where - CPU_ENV) != 0 and env["cr"][4] & _OSFXSR != 0 and image & 15 == 0:
        check_mxcsr(env, where, image, code)


@entry(types.void(types.int64, types.int64, types.uint64, types.int64))
def check_xsave(where: int, _image: int, _components: int, code: int) -> None:
    """Before XSAVE and XSAVEOPT."""
    env = env_at(where)
    if engine_on(where - CPU_ENV) != 0 and env["cr"][4] & _OSXSAVE != 0 and env["cr"][0] & _TS != 0:
        raise_exception_err_ra(where, _NM, 0, code)


@entry(types.void(types.int64, types.int64, types.uint64, types.int64))
def check_xrstor(where: int, image: int, components: int, code: int) -> None:
    """Before XRSTOR."""
    env = env_at(where)
    if engine_on(where - CPU_ENV) == 0 or env["cr"][4] & _OSXSAVE == 0:
        return
    if env["cr"][0] & _TS != 0:
        raise_exception_err_ra(where, _NM, 0, code)
    if np.int64(components) & _SSE != 0 and image & 63 == 0:
        check_mxcsr(env, where, image, code)


@entry(types.void(types.int64))
def helper_rdpmc(where: int) -> None:
    """In place of QEMU's RDPMC; RIP and the flags are exact where translated code calls this."""
    raise_exception_err_ra(where, _GP, 0, 0)


FUNCTIONS = (
    Checked("helper_ldmxcsr", check_ldmxcsr, 2),
    Checked("helper_fxrstor", check_fxrstor, 2),
    Checked("helper_xsave", check_xsave, 3),
    Checked("helper_xsaveopt", check_xsave, 3),
    Checked("helper_xrstor", check_xrstor, 3),
    helper_rdpmc,
)
