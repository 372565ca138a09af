"""Which faults are the stack's: in 64-bit mode an address by SS that is not canonical is #SS, not #GP.

QEMU 5.0 has #GP for all of them. So the instruction that got one is looked at: it is #SS if the instruction
pushes or pops there, or has an operand whose base is RSP or RBP (SDM vol. 1, 3.3.7.1 and 3.7.5).
"""

from typing import Any

import numpy as np

from mksim.compiled import native
from mksim.engine.code import LONGEST, PREFIXES, instruction_bytes
from mksim.engine.cpustate import HF_CS64, RSP

_RBP = 5
_CANONICAL_BITS = 47
_FS, _GS, _TWO_BYTES, _VEX3, _VEX2 = 0x64, 0x65, 0x0F, 0xC4, 0xC5
_POPS = (
    0x58, 0x59, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F, 0x8F, 0x9D, 0xC2, 0xC3, 0xCA, 0xCB, 0xCF, 0xFA1, 0xFA9,
)  # fmt: skip
"""Opcodes that load at RSP; 0xF.. stands for 0F .. ."""
_PUSHES = (0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x68, 0x6A, 0x9C, 0xC8, 0xE8, 0xFA0, 0xFA8)
_LEAVE, _GROUP5 = 0xC9, 0xFF
_WITHOUT_MODRM = (0xF05, 0xF06, 0xF07, 0xF08, 0xF09, 0xF0B, 0xF30, 0xF31, 0xF32, 0xF33, 0xF77, 0xFA2, 0xFAA)


@native
def canonical(address: int) -> bool:
    """Tell whether bits 63:47 of an address are all the same (SDM vol. 1, 3.3.7.1)."""
    return address >> _CANONICAL_BITS in (0, -1)


@native
def has_modrm(opcode: int) -> bool:
    """Tell whether a ModRM byte follows an opcode that may have an operand in memory (SDM vol. 2D, A.3)."""
    if opcode >= 0xF00:
        return opcode not in _WITHOUT_MODRM and opcode & 0xF0 != 0x80 and opcode & 0xF8 != 0xC8
    if opcode < 0x40:
        return opcode & 7 < 4
    if 0x80 <= opcode < 0x90 or 0xD8 <= opcode < 0xE0 or 0xD0 <= opcode < 0xD4:
        return True
    return opcode in (0x63, 0x69, 0x6B, 0xC0, 0xC1, 0xC6, 0xC7, 0xF6, 0xF7, 0xFE, 0xFF)


@native
def signed(code: np.ndarray, at: int, size: int) -> np.int64:
    """Return a displacement of `size` bytes, 0 for none."""
    value = np.int64(0)
    for byte in range(size):
        value |= np.int64(code[at + byte]) << (8 * byte)
    sign = np.int64(1) << (8 * size - 1) if size != 0 else np.int64(0)
    return (value ^ sign) - sign


@native
def by_base(env: np.void, code: np.ndarray, at: int, rex: int) -> tuple[bool, np.int64]:
    """Return (True, the address) of a ModRM operand at `at` whose base is RSP or RBP."""
    modrm = np.int64(code[at])
    mode, base, at = modrm >> 6, modrm & 7, at + 1
    index = np.int64(0)
    if mode == 3:
        return False, index
    if base == 4:
        sib = np.int64(code[at])
        base, at, number = sib & 7, at + 1, (sib >> 3) & 7 | (rex & 2) << 2
        if number != RSP:
            index = env["regs"][number] << (sib >> 6)
    if rex & 1 != 0 or base not in (RSP, _RBP) or (base == _RBP and mode == 0):
        return False, index
    return True, env["regs"][base] + index + signed(code, at, (0, 1, 4)[mode])


@native
def decode(code: np.ndarray) -> tuple[Any, Any, Any, bool]:
    """Return opcode, where what follows it begins, REX, and whether FS or GS is named."""
    at, rex, opcode, named = np.int64(0), np.int64(0), np.int64(0), False
    while at < LONGEST and code[at] in PREFIXES:
        named = named or code[at] == _FS or code[at] == _GS
        at += 1
    if code[at] & 0xF0 == 0x40:
        rex, at = np.int64(code[at]), at + 1
    opcode, at = np.int64(code[at]), at + 1
    if opcode == _TWO_BYTES:
        opcode, at = 0xF00 | np.int64(code[at]), at + 1
        if opcode in (0xF38, 0xF3A):
            at += 1
    elif opcode == _VEX2:
        opcode, at = np.int64(0xF38), at + 2
    elif opcode == _VEX3:
        rex = (~np.int64(code[at]) >> 5) & 7
        opcode, at = np.int64(0xF38), at + 3
    return opcode, at, rex, named


@native
def by_stack(engine: np.void, env: np.void) -> bool:
    """Tell whether the instruction at RIP, which got #GP(0), went by SS to an address that is none."""
    if env["hflags"] & HF_CS64 == 0 or env["error_code"] != 0:
        return False
    code = instruction_bytes(engine, env)
    opcode, at, rex, named = decode(code)
    stack = env["regs"][RSP]
    group = (np.int64(code[at]) >> 3) & 7 if opcode == _GROUP5 else 0
    if opcode in _POPS and not canonical(stack):
        return True
    if (opcode in _PUSHES or group in (2, 3, 6)) and not canonical(stack - 8):
        return True
    if opcode == _LEAVE:
        return not canonical(env["regs"][_RBP])
    if named or not has_modrm(opcode) or at >= LONGEST:
        return False
    found, address = by_base(env, code, at, rex)
    return found and not canonical(address)
