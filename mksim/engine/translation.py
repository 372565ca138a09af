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
"""

import ctypes
import mmap
import struct

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import blocks, qemu
from mksim.engine.entry import entry
from mksim.engine.probe import marked
from mksim.engine.qemu import pointer
from mksim.engine.records import ENGINE, engine_at
from mksim.engine.softmmu import engine_on

_FIELDS = dict(ENGINE.fields or {})
_TIME, _LIMIT = int(_FIELDS["time"][1]), int(_FIELDS["limit"][1])

_RCX, _RDI = 1, 7
_MOV_EDX, _CALL, _CALL_FAR, _XOR_ESI = 0xBA, 0xE8, 0x15FF, 0xF633
_START = 80
"""Bytes of a block in which the call is looked for."""
_COUNT_SIZE = 34
_COUNTS = 128
"""Numbers of instructions that fit the sign-extended byte of the addition; longer blocks keep their call."""
_STUB_SIZE = 32
_CF_COUNT = 0x7FFF
"""Of cflags: how many instructions the block may have, 0 for as many as there are."""
_STEP = 16
_REACH = (1 << 31) - (1 << 20)


@native
def load(code: np.ndarray, at: int, size: int) -> np.int64:
    """Return a little-endian integer of code bytes."""
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(code[at + byte]) << (8 * byte)
    return value


@native
def store(code: np.ndarray, at: int, value: int, size: int) -> int:
    """Write an integer as code bytes, and return where the next goes."""
    for byte in range(size):
        code[at + byte] = (value >> (8 * byte)) & 0xFF
    return at + size


@native
def constant(code: np.ndarray, at: int, register: int) -> tuple[int, np.int64]:
    """Decode the load of a constant into a register as TCG encodes it: return size, or 0, and constant."""
    if load(code, at, 2) == 0x48 | (0xB8 + register) << 8:  # movabs
        return 10, load(code, at + 2, 8)
    if load(code, at, 3) == 0x48 | 0x8D << 8 | (0x05 + 8 * register) << 16:  # lea, from RIP
        distance = load(code, at + 3, 4)
        return 7, code.ctypes.data + at + 7 + distance - ((distance & 0x80000000) << 1)
    if code[at] == 0xB8 + register:  # mov, of 32 bits
        return 5, load(code, at + 1, 4)
    return 0, np.int64(0)


@native
def find_constant(code: np.ndarray, first: int, last: int, register: int, value: int) -> int:
    """Return where a register is loaded with a value, from `first` to before `last`; else -1."""
    for at in range(first, last):
        size, found = constant(code, at, register)
        if size != 0 and found == value:
            return at
    return -1


@native
def call_size(code: np.ndarray, at: int) -> int:
    """Return where, from `first` to before `last`, a register is loaded with a value; -1 if nowhere."""
    if code[at] == _CALL:
        return 5
    return 6 if load(code, at, 2) == _CALL_FAR else 0


@native
def last_arguments(code: np.ndarray, engine: int) -> int:
    """Return where EDX and RCX are loaded for the call of the hook; -1 if they are not as they should be."""
    at = find_constant(code, 5, min(_START, len(code)) - 15, _RCX, engine)
    called = at >= 0 and call_size(code, at + constant(code, at, _RCX)[0]) != 0
    return at - 5 if called and code[at - 5] == _MOV_EDX else -1


@native
def write_count(
    code: np.ndarray, at: int, check: int, past: int, engine: int, stub: int, instructions: int
) -> None:
    """Write the code that counts; `stub` is relative to the block's start."""
    at = store(code, store(code, at, 0xB948, 2), engine, 8)
    at = store(code, at, 0x418B48 | _TIME << 24, 4)
    at = store(code, at, 0x413B48 | _LIMIT << 24, 4)
    at = store(code, at, 0x077C, 2)
    at = store(code, store(code, at, _CALL, 1), stub - (at + 5), 4)
    at = store(code, at, 0xEB | (check - (at + 2)) << 8, 2)
    at = store(code, at, 0x418348 | _TIME << 24 | instructions << 32, 5)
    store(code, at, 0xEB | (past - (at + 2)) << 8, 2)


@native
def counts(code: np.ndarray, engine: int) -> bool:
    """Tell whether a block counts by itself already: QEMU gave one that it had, of the same length."""
    at = find_constant(code, 5, min(_START, len(code)) - 15, _RCX, engine)
    return at >= 0 and load(code, at + 10, 4) == 0x418B48 | _TIME << 24


@native
def check_size(code: np.ndarray, at: int, uc: int) -> int:
    """Return the size of the check for an exit that stands there; 0 if none does."""
    if code[at] != 0x48 and code[at] != 0xB8 + _RDI:
        return 0
    size, found = constant(code, at, _RDI)
    if size == 0 or found != uc or load(code, at + size, 2) != _XOR_ESI:
        return 0
    call = call_size(code, at + size + 2)
    return size + 2 + call if call != 0 else 0


@native
def rewrite(engine: np.void, address: int, block: int) -> None:
    """Make a translated block of the ENGINE record at `address` count by itself."""
    words = carray(pointer(block), 6, np.int64)  # pc, cs_base, flags:32 size:16 icount:16, ..., tc
    instructions, start = (words[2] >> 48) & 0xFFFF, words[4]
    code = carray(pointer(start), words[5], np.uint8)
    last = last_arguments(code, address)
    first = find_constant(code, 0, last, _RDI, engine["uc"])
    check = 0
    if first >= 0:
        call = last + 5 + constant(code, last + 5, _RCX)[0]
        check = call + call_size(code, call)
    size = check_size(code, check, engine["uc"])
    if size == 0:
        engine["strange_blocks"] += 0 if counts(code, address) else 1
        return
    store(code, last + 1, instructions, 4)
    stubs = engine["stubs"] - start
    if engine["stubs"] == 0 or not -_REACH < stubs < _REACH:
        return
    if engine["marks"] != 0 and marked(engine, words[0], (words[2] >> 32) & 0xFFFF):
        return
    if instructions < _COUNTS and first + _COUNT_SIZE <= check:
        stub = stubs + _STUB_SIZE * instructions
        write_count(code, first, check, check + size, address, stub, instructions)


@entry(types.int64(types.int64, types.int64, types.int64, types.uint32, types.int32))
def tb_gen_code(cpu: int, pc: int, cs_base: int, flags: int, cflags: int) -> int:
    """In place of QEMU's: translate a block, and rewrite it."""
    ours = engine_on(cpu)
    if ours == 0:
        return qemu.tb_gen_code(cpu, pc, cs_base, flags, cflags)
    engine = engine_at(ours)
    if engine["stepping"] != 0 and not 0 < cflags & _CF_COUNT <= _STEP:
        cflags = cflags & ~_CF_COUNT | _STEP  # what runs once and is thrown away
    block = qemu.tb_gen_code(cpu, pc, cs_base, flags, cflags)
    rewrite(engine, ours, block)
    return block


class Stubs:
    """Code that calls the block hook for a block of each number of instructions.

    Each has `_STUB_SIZE` bytes; a block's has the engine's record in RCX. They lie near translated code if
    the host is kind; blocks too far away keep their calls.
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
