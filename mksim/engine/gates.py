"""Into a handler and out of it again, in 64-bit mode: the common case of delivery and of IRET, native.

As QEMU does it (target/i386/seg_helper.c of 5.0.1: do_interrupt64, helper_ret_protected), but only where all
pages are in the TLB and nothing faults. Whatever else there is, is QEMU's: nothing has changed by then.
SDM vol. 3A, 6.14.
"""

import numpy as np
from numba import carray, types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.access import READ, WRITE, at_hit
from mksim.engine.cpustate import (
    CC_OP_EFLAGS,
    CONDITION_CODES,
    CPU_ENV,
    DF,
    HF2_NMI,
    HF_ADDSEG,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_LMA,
    HF_SMAP,
    HF_SS32,
    IF,
    PRESENT,
    RSP,
)
from mksim.engine.entry import entry, outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import env_at
from mksim.engine.softmmu import engine_on

_KERNEL_SMAP, _KERNEL = 0, 2
"""MMU modes of supervisor accesses, with SMAP and without."""

# RFLAGS, SDM vol. 1, 3.4.3
_TF, _IOPL, _NT, _RF, _VM, _AC, _ID = 1 << 8, 3 << 12, 1 << 14, 1 << 16, 1 << 17, 1 << 18, 1 << 21
_IOPL_SHIFT = 12
_BREAKPOINTS = 0xFF
"""Of DR7: L0 G0 ... L3 G3."""
_POPPED = _TF | _NT | _RF | _AC | _ID

# The high word of a descriptor (SDM vol. 3A, 3.4.5)
_WRITABLE, _CONFORMING, _CODE, _SEGMENT = 1 << 9, 1 << 10, 1 << 11, 1 << 12
_LONG, _BIG, _GRANULAR = 1 << 21, 1 << 22, 1 << 23
_FLAT = 0xC09300
"""What SS holds of a null selector."""
_INTERRUPT_GATE, _TRAP_GATE = 14, 15
_GATE_SIZE, _FRAME_SIZE, _IST = 16, 40, 3


@native(inline=True)
def kernel_mode(env: np.void) -> int:
    """Return the MMU mode of the accesses that a processor makes by itself."""
    trusted = env["hflags"] & HF_SMAP == 0 or (env["hflags"] & HF_CPL < 3 and env["eflags"] & _AC != 0)
    return _KERNEL if trusted else _KERNEL_SMAP


@native(inline=True)
def descriptor(where: int, env: np.void, mode: int, selector: int) -> np.int64:
    """Return the descriptor that a selector names; 0 if QEMU must look."""
    local, index = selector & 4 != 0, selector & 0xFFF8
    limit = np.int64(env["ldt_limit"]) if local else np.int64(env["gdt_limit"])
    if selector & 0xFFFC == 0 or index + 7 > limit:
        return np.int64(0)
    base = env["ldt_base"] if local else env["gdt_base"]
    host = at_hit(where, base + index, mode, 8, READ)
    return carray(pointer(host), 1, np.int64)[0] if host != 0 else np.int64(0)


@native
def base_of(entry: int) -> int:
    """Return the base that a descriptor holds."""
    return (entry >> 16) & 0xFFFFFF | (entry >> 32) & 0xFF000000


@native
def limit_of(entry: int) -> int:
    """Return the limit that a descriptor holds, in bytes."""
    limit = entry & 0xFFFF | (entry >> 32) & 0xF0000
    return limit << 12 | 0xFFF if (entry >> 32) & _GRANULAR != 0 else limit


@native
def is_code64(high: int, cpl: int) -> bool:
    """Tell whether a segment is present 64-bit code that a handler below or at `cpl` may run in."""
    kind = _SEGMENT | _CODE | PRESENT | _LONG
    return high & (kind | _BIG) == kind and (high >> 13) & 3 <= cpl


@native(inline=True)
def set_cs(env: np.void, selector: int, entry: int) -> None:
    """Load CS with 64-bit code, and what QEMU keeps of it and of SS in hflags."""
    env["cs_selector"], env["cs_base"] = selector, base_of(entry)
    env["cs_limit"], env["cs_flags"] = limit_of(entry), (entry >> 32) & 0xFFFFFFFF
    stack = HF_SS32 if np.int64(env["ss_flags"]) & _BIG != 0 else 0
    env["hflags"] = (env["hflags"] & ~(HF_SS32 | HF_ADDSEG)) | HF_CS32 | HF_CS64 | stack


@native(inline=True)
def set_ss(env: np.void, selector: int, base: int, limit: int, high: int) -> None:
    """Load SS, and with it the CPL."""
    env["ss_selector"], env["ss_base"], env["ss_limit"], env["ss_flags"] = selector, base, limit, high
    env["hflags"] = (env["hflags"] & ~HF_CPL) | ((high >> 13) & 3)


@native(inline=True)
def new_stack(where: int, env: np.void, mode: int, level: int) -> tuple[bool, np.int64]:
    """Return (True, the stack pointer that the TSS holds for a ring, or for 3 + an IST)."""
    index = 8 * level + 4
    if np.int64(env["tr_flags"]) & PRESENT == 0 or index + 7 > np.int64(env["tr_limit"]):
        return False, np.int64(0)
    host = at_hit(where, env["tr_base"] + index, mode, 8, READ)
    return (True, carray(pointer(host), 1, np.int64)[0]) if host != 0 else (False, np.int64(0))


@outlined()
def enter(where: int, vector: int, flags: int) -> bool:
    """Deliver an external interrupt to the CPU whose env is at `where`, RFLAGS in full; True if done."""
    env = env_at(where)
    if env["hflags"] & HF_LMA == 0 or _GATE_SIZE * vector + 15 > np.int64(env["idt_limit"]):
        return False
    mode, cpl = kernel_mode(env), env["hflags"] & HF_CPL
    host = at_hit(where, env["idt_base"] + _GATE_SIZE * vector, mode, 12, READ)
    if host == 0:
        return False
    gate = carray(pointer(host), 3, np.uint32)
    low, high = np.int64(gate[0]), np.int64(gate[1])
    kind, selector, ist = (high >> 8) & 0x1F, low >> 16, high & 7
    if kind not in (_INTERRUPT_GATE, _TRAP_GATE) or high & PRESENT == 0:
        return False
    code = descriptor(where, env, mode, selector)
    if not is_code64(code >> 32, cpl):
        return False
    ring = cpl if (code >> 32) & _CONFORMING != 0 else (code >> 45) & 3
    stack, switched = np.int64(env["regs"][RSP]), ring < cpl or ist != 0
    if switched:
        found, stack = new_stack(where, env, mode, ist + _IST if ist != 0 else ring)
        if not found:
            return False
    elif env["eflags"] & _VM != 0:
        return False
    stack = (stack & -16) - _FRAME_SIZE
    host = at_hit(where, stack, mode, _FRAME_SIZE, WRITE)
    if host == 0:
        return False
    push(env, host, flags)
    env["eflags"] &= ~(_TF | _VM | _RF | _NT | (IF if kind == _INTERRUPT_GATE else 0))
    if switched:
        set_ss(env, ring, 0, 0, ring << 13)
    env["regs"][RSP] = stack
    set_cs(env, selector & ~3 | ring, code)
    env["eip"] = np.int64(gate[2]) << 32 | high & 0xFFFF0000 | low & 0xFFFF
    return True


@native(inline=True)
def push(env: np.void, host: int, flags: int) -> None:
    """Write the frame of an interrupt: RIP, CS, RFLAGS, RSP, SS."""
    frame = carray(pointer(host), 5, np.int64)
    frame[0], frame[1], frame[2] = env["eip"], np.int64(env["cs_selector"]) & 0xFFFFFFFF, flags
    frame[3], frame[4] = env["regs"][RSP], np.int64(env["ss_selector"]) & 0xFFFFFFFF


@native
def keeps(flags: int, rest: int, ring: int) -> bool:
    """Tell whether a data segment stays as it is at a return to a ring: outer ones may lose it."""
    return (flags >> 13) & 3 >= ring or flags | rest == 0


@native(inline=True)
def keeps_all(env: np.void, ring: int) -> bool:
    """Tell that of all data segments. FS and GS may have a base behind a null selector, and keep it."""
    if ring == 0:
        return True
    es = env["es_selector"] | env["es_base"] | np.int64(env["es_limit"])
    ds = env["ds_selector"] | env["ds_base"] | np.int64(env["ds_limit"])
    fs, gs = env["fs_selector"] & 0xFFFC == 0, env["gs_selector"] & 0xFFFC == 0
    return (
        keeps(np.int64(env["es_flags"]), es, ring)
        and keeps(np.int64(env["ds_flags"]), ds, ring)
        and (fs or keeps(np.int64(env["fs_flags"]), 1, ring))
        and (gs or keeps(np.int64(env["gs_flags"]), 1, ring))
    )


@native(inline=True)
def may_return(high: int, ring: int, cpl: int) -> bool:
    """Tell whether IRET may return to this code segment with this RPL."""
    kind, level = _SEGMENT | _CODE | PRESENT | _LONG, (high >> 13) & 3
    if high & kind != kind or ring < cpl:
        return False
    return level <= ring if high & _CONFORMING != 0 else level == ring


@native(inline=True)
def leave(where: int) -> bool:
    """Return from a handler by IRETQ, between 64-bit segments; True if done."""
    env = env_at(where)
    if env["eflags"] & _NT != 0 or env["hflags"] & HF_CS64 == 0:
        return False
    mode, cpl = kernel_mode(env), env["hflags"] & HF_CPL
    host = at_hit(where, env["regs"][RSP], mode, _FRAME_SIZE, READ)
    if host == 0:
        return False
    frame = carray(pointer(host), 5, np.int64)
    selector, stack = frame[1] & 0xFFFF, frame[4] & 0xFFFF
    ring = selector & 3
    code = descriptor(where, env, mode, selector)
    if not may_return(code >> 32, ring, cpl) or not keeps_all(env, ring):
        return False
    if stack & 0xFFFC != 0:
        data = descriptor(where, env, mode, stack)
        high, kind = data >> 32, _SEGMENT | _WRITABLE | PRESENT
        if stack & 3 != ring or high & (kind | _CODE) != kind or (high >> 13) & 3 != ring:
            return False
        set_ss(env, stack, base_of(data), limit_of(data), high & 0xFFFFFFFF)
    elif ring != 3:
        set_ss(env, stack, 0, 0xFFFFFFFF, _FLAT | ring << 13)
    else:
        return False
    set_cs(env, selector, code)
    env["eip"], env["regs"][RSP] = frame[0], frame[3]
    pop_flags(env, frame[2], cpl)
    forget_resume(env)
    return True


@native(inline=True)
def pop_flags(env: np.void, flags: int, cpl: int) -> None:
    """Load RFLAGS as IRET does, as far as `cpl` allows."""
    writable = _POPPED | (_IOPL if cpl == 0 else 0)
    if cpl <= (env["eflags"] & _IOPL) >> _IOPL_SHIFT:
        writable |= IF
    env["cc_src"], env["cc_op"] = flags & CONDITION_CODES, CC_OP_EFLAGS
    env["df"] = 1 if flags & DF == 0 else -1
    env["eflags"] = (env["eflags"] & ~writable) | (flags & writable) | 2


@native
def forget_resume(env: np.void) -> None:
    """Drop RF where no breakpoint could see it: with it, a block would be translated once more."""
    if env["dr"][7] & _BREAKPOINTS == 0:
        env["eflags"] &= ~_RF


@entry(types.void(types.int64, types.int32, types.int32))
def helper_iret_protected(where: int, shift: int, next_eip: int) -> None:
    """IRET in protected mode; RIP and the flags are exact where translated code calls this."""
    if shift == 2 and engine_on(where - CPU_ENV) != 0 and leave(where):
        env_at(where)["hflags2"] &= ~HF2_NMI
    else:
        env = env_at(where)
        long, bases = env["hflags"] & HF_CS64 != 0, (env["fs_base"], env["gs_base"])
        qemu.helper_iret_protected(where, shift, next_eip)
        if long and env["hflags"] & HF_CS64 != 0:  # of selectors that became null; QEMU drops them
            env["fs_base"], env["gs_base"] = bases
        forget_resume(env)


FUNCTIONS = (helper_iret_protected,)
