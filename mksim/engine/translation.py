"""What is done to a block of guest code when QEMU has translated it: it is made to count by itself.

Unicorn begins a block with a call of the block hook. What the hook does nearly always is to compare the time
with the limit and to add the block's instructions, whose number QEMU knows; so that is written into the block
in place of the call. At the limit it calls the hook by a stub. Where the code does not fit, the call stays
and only gets the number of instructions in place of the size in bytes.

    as Unicorn translates it                     as it is rewritten
        mov  [env.eip], pc                           mov  [env.eip], pc
        mov  rdi, uc                                 mov  rcx, engine
        mov  rsi, pc                                 mov  rax, [rcx + time]
        mov  edx, size                               cmp  rax, [rcx + limit]
        mov  rcx, engine                             jl   count
        call on_block                                call stub          ; of this number of instructions
    check:                                           jmp  check
        mov  rdi, uc                             count:
        xor  esi, esi                                add  qword [rcx + time], instructions
        call check_exit_request                      jmp  past
    past:

The same three instructions stand behind every access to memory, for hooks that stop the CPU in the middle of
a block. No hook here does, so those become no-operations.
"""

import ctypes
import mmap
import struct

import numpy as np
from numba import carray, cfunc, njit, types

from mksim.engine import blocks, native
from mksim.engine.native import pointer
from mksim.engine.records import ENGINE, engine_at
from mksim.engine.softmmu import engine_on

_FIELDS = dict(ENGINE.fields or {})
_TIME, _LIMIT = int(_FIELDS["time"][1]), int(_FIELDS["limit"][1])

_MOV_RCX, _MOV_RDI, _MOV_EDX, _CALL = 0xB948, 0xBF48, 0xBA, 0xE8
_START = 80
"""Bytes of a block in which the call is looked for."""
_XOR_ESI = 0xF633
_CALL_SIZE = 5
_CHECK_SIZE = 17
_COUNT_SIZE = 34
_NOP_9, _NOP_8 = (0x841F0F66, 0x00841F0F)
"""Their first words; the rest is zeros (SDM vol. 2B, NOP, table 4-12)."""
_COUNTS = 128
"""Numbers of instructions that fit the sign-extended byte of the addition; longer blocks keep their call."""
_STUB_SIZE = 32
_REACH = (1 << 31) - (1 << 20)


@njit(cache=True, error_model="numpy")
def load(code: np.ndarray, at: int, size: int) -> np.int64:
    """Return a little-endian integer of code bytes."""
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(code[at + byte]) << (8 * byte)
    return value


@njit(cache=True, error_model="numpy")
def store(code: np.ndarray, at: int, value: int, size: int) -> int:
    """Write an integer as code bytes, and return where the next goes."""
    for byte in range(size):
        code[at + byte] = (value >> (8 * byte)) & 0xFF
    return at + size


@njit(cache=True, error_model="numpy")
def hook_call(code: np.ndarray, engine: int) -> int:
    """Return where in a block the hook is called, behind its arguments; -1 if it is not as it should be."""
    for at in range(5, min(_START, len(code)) - 15):
        if load(code, at, 2) == _MOV_RCX and load(code, at + 2, 8) == engine:
            return at + 10 if code[at - 5] == _MOV_EDX and code[at + 10] == _CALL else -1
    return -1


@njit(cache=True, error_model="numpy")
def arguments(code: np.ndarray, uc: int, call: int) -> int:
    """Return where the first argument of the hook is loaded; the call's place if that is not found."""
    for at in range(call - 25):
        if load(code, at, 2) == _MOV_RDI and load(code, at + 2, 8) == uc:
            return at
    return call


@njit(cache=True, error_model="numpy")
def write_count(code: np.ndarray, at: int, check: int, engine: int, stub: int, instructions: int) -> None:
    """Write the code that counts; `stub` is relative to the block's start."""
    at = store(code, store(code, at, _MOV_RCX, 2), engine, 8)
    at = store(code, at, 0x418B48 | _TIME << 24, 4)
    at = store(code, at, 0x413B48 | _LIMIT << 24, 4)
    at = store(code, at, 0x077C, 2)
    at = store(code, store(code, at, _CALL, 1), stub - (at + 5), 4)
    at = store(code, at, 0xEB | (check - (at + 2)) << 8, 2)
    at = store(code, at, 0x418348 | _TIME << 24 | instructions << 32, 5)
    store(code, at, 0xEB | (check + _CHECK_SIZE - (at + 2)) << 8, 2)


@njit(cache=True, error_model="numpy")
def is_check(code: np.ndarray, at: int, uc: int, target: int) -> bool:
    """Tell whether a check for an exit, a call of what is at `target` in the block, stands there."""
    if code[at] != 0x48 or code[at + 1] != 0xBF or load(code, at + 2, 8) != uc:
        return False
    called = load(code, at + 13, 4) + at + _CHECK_SIZE
    return (
        load(code, at + 10, 2) == _XOR_ESI and code[at + 12] == _CALL and (called - target) & 0xFFFFFFFF == 0
    )


@njit(cache=True, error_model="numpy")
def drop_checks(code: np.ndarray, first: int, uc: int) -> None:
    """Overwrite all checks for an exit but the first one, and those behind a call: of another hook."""
    target = load(code, first + 13, 4) + first + _CHECK_SIZE
    at = first + _CHECK_SIZE
    while at + _CHECK_SIZE <= len(code):
        if code[at - _CALL_SIZE] != _CALL and is_check(code, at, uc, target):
            store(code, store(code, at, _NOP_9, 9), _NOP_8, 8)
            at += _CHECK_SIZE
        else:
            at += 1


@njit(cache=True, error_model="numpy")
def rewrite(engine: np.void, address: int, block: int) -> None:
    """Make a translated block of the ENGINE record at `address` count by itself."""
    words = carray(pointer(block), 6, np.int64)  # pc, cs_base, flags:32 size:16 icount:16, ..., tc
    instructions, start = (words[2] >> 48) & 0xFFFF, words[4]
    code = carray(pointer(start), words[5], np.uint8)
    call = hook_call(code, address)
    if call < 0:
        engine["strange_blocks"] += 1
        return
    store(code, call - 14, instructions, 4)
    check, stub = call + _CALL_SIZE, engine["stubs"] + _STUB_SIZE * instructions - start
    plain = is_check(code, check, engine["uc"], load(code, check + 13, 4) + check + _CHECK_SIZE)
    first = arguments(code, engine["uc"], call)
    if engine["stubs"] == 0 or not plain:
        return
    drop_checks(code, check, engine["uc"])
    if -_REACH < stub < _REACH and instructions < _COUNTS and first + _COUNT_SIZE <= check:
        write_count(code, first, check, address, stub, instructions)


@cfunc(
    types.int64(types.int64, types.int64, types.int64, types.uint32, types.int32),
    cache=True, error_model="numpy",
)  # fmt: skip
def tb_gen_code(cpu: int, pc: int, cs_base: int, flags: int, cflags: int) -> int:
    """In place of QEMU's: translate a block, and rewrite it."""
    block = native.tb_gen_code(cpu, pc, cs_base, flags, cflags)
    ours = engine_on(cpu)
    if ours != 0:
        rewrite(engine_at(ours), ours, block)
    return block


class Stubs:
    """Code that calls the block hook for a block of each number of instructions, `_STUB_SIZE` apart.

    The block has put its engine's record into RCX. They lie near the translated code if the host is kind;
    blocks too far away keep their calls.
    """

    def __init__(self) -> None:
        rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        code = b"".join(_stub(number) for number in range(_COUNTS))
        self._memory = mmap.mmap(-1, len(code), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=rights)
        self._memory[:] = code
        self.address = ctypes.addressof(ctypes.c_uint8.from_buffer(self._memory))


def _stub(instructions: int) -> bytes:
    code = b"\x48\x83\xec\x08"  # sub rsp, 8: calls are made with the stack on 16 bytes
    code += b"\xba" + struct.pack("<I", instructions)  # mov edx, instructions
    code += b"\x48\xb8" + struct.pack("<Q", blocks.on_block.address) + b"\xff\xd0"  # call on_block
    return (code + b"\x48\x83\xc4\x08\xc3").ljust(_STUB_SIZE, b"\xcc")  # add rsp, 8; ret
