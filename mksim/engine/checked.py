"""A helper of QEMU's with a check of ours before it.

Translated code does not keep RIP up to date for most helpers: QEMU has it from the address that a helper
returns to. So the helper is called through a few instructions that first call the check, with that address as
its last argument, and then jump to QEMU's own, which returns as if nothing were between.
"""

import ctypes
import mmap
import struct
from functools import cached_property

from mksim.engine import qemu
from mksim.engine.entry import Entry


class Checked:
    """The helper `name`, of so many arguments; the check has one more."""

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
