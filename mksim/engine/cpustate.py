"""The CPU's hidden state: QEMU 5.0.1's `CPUX86State` as a NumPy record, and its states after RESET and INIT.

Unicorn keeps one `CPUState` per engine; the x86 part (`env`) follows it. Both are reached in place, without a
copy. The offsets belong to the one build that `pyproject.toml` pins, so they are checked at start-up.
"""

import ctypes

import numpy as np
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import Uc

from mksim.errors import EngineError

# Uc -> CPUState -> env
UC_CPU = 0x1B8
UC_TCG = 0x300
"""TCGContext *: who knows all blocks of translated code."""
CPU_ENV_POINTER = 0x128
CPU_ENV = 0x8A50
CPU_TB_JMP_CACHE = 0x138
"""TranslationBlock *[4096], indexed by a hash of the block's address."""
CPU_OPAQUE = 0x8170
"""A pointer that Unicorn leaves alone: here, to the ENGINE record."""
CPU_MEM_IO_PC = 0x8178
"""Where in translated code a device access came from; 0 where it came from none (a page-table walk)."""
CPU_EXCEPTION_INDEX = 0x81A0
CPU_EXIT = 0x8A40
"""icount_decr: below zero asks for an exit."""
UC_NO_EXIT = 0x7F2
"""Of Uc: nonzero, and no looks for an exit are translated."""
TCG_UC = 0x9970
"""TCGContext -> Uc."""

UC = np.dtype(
    {
        "names": ["recursion", "stop_request", "quit_request", "emulation_done", "invalid_error", "level"],
        "formats": ["<i4", "u1", "u1", "u1", "<i4", "<i4"],
        "offsets": [0x568, 0x56D, 0x56E, 0x56F, 0x590, 0x39F8],
    }
)
"""What of Unicorn's own state (uc_priv.h) tells how a run goes."""
CPU = np.dtype(
    {
        "names": ["created", "stop", "stopped", "exit_request", "next_flags", "halted", "exception_index"],
        "formats": ["u1", "u1", "u1", "u1", "<i4", "<i4", "<i4"],
        "offsets": [0x10, 0x11, 0x12, 0x15, 0x18, 0x8198, CPU_EXCEPTION_INDEX],
    }
)
"""The same of QEMU's CPUState."""

VMCB = 1 << 44
"""Where QEMU believes its intercept tables: past the 40 address bits that a guest's page tables can name.

Nothing is mapped there. What QEMU would keep there of an event in delivery nobody reads (see `access`).
"""

SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr", "gdt", "idt")
_SEGMENT_BASE = 184
_SEGMENT_SIZE = 24
_DR = 5400

_FIELDS: dict[str, tuple[object, int]] = {
    "regs": (("<i8", 16), 0),
    "eip": ("<i8", 128),
    "eflags": ("<i8", 136),
    "cc_dst": ("<i8", 144),
    "cc_src": ("<i8", 152),
    "cc_src2": ("<i8", 160),
    "cc_op": ("<i4", 168),
    "df": ("<i4", 172),
    "hflags": ("<i4", 176),
    "hflags2": ("<i4", 180),
    "cr": (("<i8", 5), 424),
    "efer": ("<i8", 592),
    "sysenter_cs": ("<i4", 4800),
    "sysenter_esp": ("<i8", 4808),
    "sysenter_eip": ("<i8", 4816),
    "star": ("<i8", 4824),
    "lstar": ("<i8", 4840),
    "cstar": ("<i8", 4848),
    "fmask": ("<i8", 4856),
    "kernel_gs_base": ("<i8", 4864),
    "tsc_aux": ("<i8", 4896),
    "xcr0": ("<i8", 4904),
    "pat": ("<i8", 5280),
    "error_code": ("<i4", _DR - 16),
    "exception_is_int": ("<i4", _DR - 12),
    "exception_next_eip": ("<i8", _DR - 8),
    "dr": (("<i8", 8), _DR),
    "old_exception": ("<i4", _DR + 96),
    "vm_vmcb": ("<i8", _DR + 104),
    "intercept": ("<i8", _DR + 120),
}
for _number, _name in enumerate(SEGMENTS):
    _base = _SEGMENT_BASE + _SEGMENT_SIZE * _number
    _FIELDS[f"{_name}_selector"] = ("<i4", _base)
    _FIELDS[f"{_name}_base"] = ("<i8", _base + 8)
    _FIELDS[f"{_name}_limit"] = ("<u4", _base + 16)
    _FIELDS[f"{_name}_flags"] = ("<u4", _base + 20)

ENV_SIZE = _DR + 160
FEATURES_ECX, FEATURES_XCR0 = 5640, 5800
"""From env: what CPUID leaf 1, ECX, and leaf 0xd, EAX, say of an engine's own processor: TCG goes by them."""
ENV = np.dtype(
    {
        "names": list(_FIELDS),
        "formats": [form for form, _ in _FIELDS.values()],
        "offsets": [offset for _, offset in _FIELDS.values()],
        "itemsize": ENV_SIZE,
    }
)
"""What a core keeps off its engine. Fields are signed: Numba mixes int64 and uint64 to floats."""

RAX, RCX, RDX, RBX, RSP = range(5)

# RFLAGS, SDM vol. 1, 3.4.3
IF = 1 << 9
DF = 1 << 10
RF = 1 << 16
CONDITION_CODES = 0x8D5
CC_OP_EFLAGS = 1

# hflags (target/i386/cpu.h)
HF_CPL = 3
HF_INHIBIT_IRQ = 1 << 3
HF_CS32 = 1 << 4
HF_SS32 = 1 << 5
HF_ADDSEG = 1 << 6
HF_PE = 1 << 7
HF_LMA = 1 << 14
HF_CS64 = 1 << 15
HF_GUEST = 1 << 21
HF_SMAP = 1 << 23
HF_OSFXSR = 1 << 22
HF2_NMI = 1 << 2

CR4_MCE = 1 << 6
CR4_OSXSAVE = 1 << 18
EFER_SCE, EFER_LME, EFER_LMA, EFER_NXE = 1 << 0, 1 << 8, 1 << 10, 1 << 11

# Segment cache flags, as in the high word of a descriptor (SDM vol. 3A, 3.4.5)
CODE16, DATA16, LDT, TSS = 0x9B00, 0x9300, 0x8200, 0x8900
CODE64, DATA_FLAT = 0xAF9B00, 0xCF9300
PRESENT = 0x8000

INTERCEPT_SHUTDOWN = 1 << 31
"""Of `intercept`: exit code - 0x60 (AMD64 vol. 2, appendix C)."""

CPU_SIGNATURE = 0x000306C4
"""Family 6, model 0x3c, stepping 4: a Haswell, the model that QEMU is asked for; in EDX after RESET."""


def view(address: int) -> np.ndarray:
    """Return one ENV record, shape (1,), that lives at `address`."""
    raw = (ctypes.c_uint8 * ENV_SIZE).from_address(address)
    return np.frombuffer(memoryview(raw), ENV)


def cpu_address(uc: Uc) -> int:
    """Return the address of the engine's CPUState; creates it, as Unicorn does that at the first use."""
    uc.reg_read(x86.UC_X86_REG_RIP)
    return int(ctypes.c_uint64.from_address(uc._uch.value + UC_CPU).value)


_MARKERS = {
    x86.UC_X86_REG_RAX: lambda env: env["regs"][RAX],
    x86.UC_X86_REG_R15: lambda env: env["regs"][15],
    x86.UC_X86_REG_CR2: lambda env: env["cr"][2],
    x86.UC_X86_REG_CR3: lambda env: env["cr"][3],
    x86.UC_X86_REG_DR3: lambda env: env["dr"][3],
    x86.UC_X86_REG_FS_BASE: lambda env: env["fs_base"],
    x86.UC_X86_REG_GS_BASE: lambda env: env["gs_base"],
}
_MSR_MARKERS = {0xC0000082: "lstar", 0xC0000084: "fmask", 0xC0000102: "kernel_gs_base", 0x176: "sysenter_eip"}


def check_layout(uc: Uc) -> None:
    """Write markers through the API, read them back through the record; raise EngineError if one differs."""
    cpu = cpu_address(uc)
    sound = ctypes.c_uint64.from_address(cpu + CPU_ENV_POINTER).value == cpu + CPU_ENV
    if sound:
        env = view(cpu + CPU_ENV)[0]
        sound = all(_marked(uc, env, number) for number in range(len(_MARKERS) + len(_MSR_MARKERS)))
    if not sound:
        raise EngineError(
            "this build of Unicorn keeps its CPU state elsewhere: mksim needs the unicorn==2.1.4 wheel "
            "for Linux x86-64 (pip install --force-reinstall unicorn==2.1.4)"
        )


def _marked(uc: Uc, env: np.void, number: int) -> bool:
    marker = 0x5A5A0000 + 0x1000 * number
    if number < len(_MARKERS):
        register = list(_MARKERS)[number]
        uc.reg_write(register, marker)
        found = int(_MARKERS[register](env)) == marker
        uc.reg_write(register, 0)
        return found
    index, name = list(_MSR_MARKERS.items())[number - len(_MARKERS)]
    uc.msr_write(index, marker)
    found = int(env[name]) == marker
    uc.msr_write(index, 0)
    return found
