"""Extended state and performance counters: what QEMU takes and a CPU refuses.

Reserved bits of MXCSR are #GP, however they are loaded; XSAVE and XRSTOR are #NM while CR0.TS is set; RDPMC
is #GP as there are no counters. SDM vol. 1, 10.2.3 and 13.7 to 13.9; vol. 2B, RDPMC.

Translated code does not keep RIP up to date for the helpers of extended state: QEMU has it from the address
that a helper returns to. So each is called through a few instructions that first call a check of ours, with
that address as its last argument, and then jump to QEMU's helper, which returns as if nothing were between.
"""

import ctypes
import mmap
import struct
from functools import cached_property

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.cpustate import CPU_ENV
from mksim.engine.entry import Entry, entry
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


class Checked:
    """A helper of QEMU's with a check of ours before it."""

    def __init__(self, name: str, check: Entry, arguments: int) -> None:
        self.__name__ = name
        self._check, self._arguments = check, arguments

    @cached_property
    def address(self) -> int:
        """Where its code is."""
        rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        code = _code(self._check.address, qemu.address_of(f"{self.__name__}_x86_64"), self._arguments)
        self._memory = mmap.mmap(-1, len(code), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=rights)
        self._memory[:] = code
        return ctypes.addressof(ctypes.c_uint8.from_buffer(self._memory))


def _code(check: int, helper: int, arguments: int) -> bytes:
    last = {2: b"\x48\x8b\x54\x24\x18", 3: b"\x48\x8b\x4c\x24\x18"}[arguments]  # mov rdx or rcx, [rsp + 24]
    code = b"\x57\x56\x52" + last  # push rdi, rsi, rdx
    code += b"\x48\xb8" + struct.pack("<Q", check) + b"\xff\xd0"  # call check
    code += b"\x5a\x5e\x5f"  # pop rdx, rsi, rdi
    return code + b"\x48\xb8" + struct.pack("<Q", helper) + b"\xff\xe0"  # jmp helper


FUNCTIONS: tuple[Entry | Checked, ...] = (
    Checked("helper_ldmxcsr", check_ldmxcsr, 2),
    Checked("helper_fxrstor", check_fxrstor, 2),
    Checked("helper_xsave", check_xsave, 3),
    Checked("helper_xsaveopt", check_xsave, 3),
    Checked("helper_xrstor", check_xrstor, 3),
    helper_rdpmc,
)
