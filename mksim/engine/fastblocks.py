"""Counting without a call: the start of a translated block, rewritten to advance time by itself.

A block hook is a call from every block, and costs a quarter of the speed. What it does nearly always is to
compare the time with the limit and to add a constant, so between two turns that is written into blocks which
have run, in place of the call; beyond the limit they go through a stub that calls the hook as before. What is
counted, and when a block stops, is the same either way. Blocks that do not begin as this build of Unicorn
begins them are left alone.

    as Unicorn translates it                     as it is rewritten
        mov  [env.eip], pc                           mov  [env.eip], pc
        mov  rdi, uc                                 mov  rcx, engine
        mov  rsi, pc                                 mov  rax, [rcx + time]
        mov  edx, size                               cmp  rax, [rcx + limit]
        mov  rcx, engine                             jge  stub
        call on_block                                add  qword [rcx + time], instructions
        mov  rdi, env                                jmp  past
        xor  esi, esi                                ...
        call check_exit_request
    past:
"""

import ctypes
import mmap
import struct

import numpy as np

from mksim.engine import blocks
from mksim.engine.cpustate import CPU_TB_JMP_CACHE
from mksim.engine.records import ENGINE

_FIELDS = dict(ENGINE.fields or {})
_TIME, _LIMIT = _FIELDS["time"][1], _FIELDS["limit"][1]

_STORE_PC = b"\x48\xc7\x85\x80\x00\x00\x00"  # mov qword [rbp + env.eip], imm32
_STORE_PC_SIZE = 11
_MOV_RCX, _MOV_RDI = b"\x48\xb9", b"\x48\xbf"  # movabs
_CALL_SIZE = 5
_CHECK_SIZE = 17  # movabs rdi; xor esi, esi; call check_exit_request
_START_SIZE = 80

_BLOCKS = 4096
_STUBS = 1 << 20
_STUB_STRIDE = 80
_REACH = 1 << 31

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class FastBlocks:
    """Rewrites the blocks of one engine: `cpu` is its CPUState, `engine` its ENGINE record, by address."""

    def __init__(self, cpu: int, engine: int) -> None:
        raw = (ctypes.c_uint64 * _BLOCKS).from_address(cpu + CPU_TB_JMP_CACHE)
        self._cache = np.frombuffer(memoryview(raw), np.uint64)
        self._seen = np.zeros(_BLOCKS, np.uint64)
        self._engine = engine
        self._stubs = 0
        self._next = self._end = 0

    @property
    def rewritten(self) -> int:
        """How many blocks count by themselves by now."""
        return (self._next - self._stubs) // _STUB_STRIDE

    def rewrite(self) -> None:
        """Rewrite the blocks that were found since the last time. Nothing may be running on the engine."""
        found = np.flatnonzero((self._cache != self._seen) & (self._cache != 0))
        self._seen[:] = self._cache
        for slot in found.tolist():
            self._rewrite(int(self._cache[slot]))

    def _rewrite(self, block: int) -> None:
        words = (ctypes.c_uint64 * 5).from_address(block)  # ... flags:32 size:16 icount:16, ..., tc.ptr
        instructions, start = words[2] >> 48, words[4]
        code = ctypes.string_at(start, _START_SIZE)
        load = _MOV_RCX + struct.pack("<Q", self._engine) + b"\xe8"
        call = code.find(load) + len(load) - 1
        room = call + _CALL_SIZE - _STORE_PC_SIZE
        if not code.startswith(_STORE_PC) or load not in code or code[call + 5 : call + 7] != _MOV_RDI:
            return
        if (stub := self._stub(start)) and len(fast := self._fast(start, stub, call, instructions)) <= room:
            self._write_stub(stub, code[_STORE_PC_SIZE:call], start + call + _CALL_SIZE)
            ctypes.memmove(start + _STORE_PC_SIZE, fast, len(fast))

    def _fast(self, start: int, stub: int, call: int, instructions: int) -> bytes:
        """Return the code that counts, for `start` + _STORE_PC_SIZE."""
        code = _MOV_RCX + struct.pack("<Q", self._engine)
        code += bytes((0x48, 0x8B, 0x41, _TIME, 0x48, 0x3B, 0x41, _LIMIT))
        here = start + _STORE_PC_SIZE + len(code) + 6
        code += b"\x0f\x8d" + struct.pack("<i", stub - here)
        code += bytes((0x48, 0x81, 0x41, _TIME)) + struct.pack("<I", instructions)
        past = call + _CALL_SIZE + _CHECK_SIZE - (_STORE_PC_SIZE + len(code) + 2)
        return code + bytes((0xEB, past))

    def _write_stub(self, stub: int, arguments: bytes, back: int) -> None:
        """Write the call as it was, out of line, and the way back to the check for an exit."""
        code = arguments + b"\x48\xb8" + struct.pack("<Q", blocks.on_block.address) + b"\xff\xd0"
        code += b"\xe9" + struct.pack("<i", back - (stub + len(code) + 5))
        ctypes.memmove(stub, code, len(code))

    def _stub(self, near: int) -> int:
        """Return room for one more stub, or 0 if there is none within reach of a jump."""
        if not self._stubs:
            self._stubs = self._next = _map_near(near)
            self._end = self._stubs + _STUBS if self._stubs else 0
        if self._next + _STUB_STRIDE > self._end or abs(self._next - near) > _REACH - _STUBS:
            return 0
        self._next += _STUB_STRIDE
        return self._next - _STUB_STRIDE

    def __del__(self) -> None:
        if self._stubs:
            _libc.munmap(self._stubs, _STUBS)


def _map_near(address: int) -> int:
    """Return the address of new executable memory below `address`, or 0 if the host gives none there."""
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    got = _libc.mmap((address & -mmap.PAGESIZE) - (64 << 20), _STUBS, rights, kind, -1, 0)
    return int(got) if got is not None and got < 1 << 63 else 0
