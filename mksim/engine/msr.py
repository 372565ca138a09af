"""Model-specific registers: in place of QEMU's RDMSR and WRMSR. An unknown one is #GP.

Local APIC, TSC and machine check are ours; EFER, STAR, LSTAR, CSTAR, FMASK, FS/GS bases, TSC_AUX, SYSENTER
and PAT are QEMU's. It takes any value, so an address that a CPU would refuse is refused here.
SDM vol. 4, table 2-2.
"""

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine import qemu
from mksim.engine.blocks import check_machine
from mksim.engine.code import code_bytes
from mksim.engine.cpustate import (
    CPU_ENV,
    EFER_LMA,
    EFER_LME,
    EFER_NXE,
    EFER_SCE,
    HF_INHIBIT_IRQ,
    IF,
    RAX,
    RCX,
    RDX,
)
from mksim.engine.entry import entry
from mksim.engine.interrupts import broadcast_eoi, extint, send_icr, shorten
from mksim.engine.machinecheck import BUS_MESSAGE, post
from mksim.engine.qemu import cpu_loop_exit_noexc, raise_exception_err_ra
from mksim.engine.records import clock, core_of, engine_at, env_at, machine_at
from mksim.engine.softmmu import engine_on
from mksim.engine.stackfault import canonical
from mksim.hw import lapic, lapic_msr

_PLAIN = (0xC0000080, 0xC0000081, 0xC0000084, 0xC0000103, 0x174, 0x277)
"""QEMU's: EFER, STAR, FMASK, TSC_AUX, SYSENTER_CS, PAT."""
_EFER, _TSC_AUX, _PAT = 0xC0000080, 0xC0000103, 0x277
_PAT_TYPES = 0b11110011
"""Memory types that PAT may hold, a bit each: UC, WC, WT, WP, WB, UC- (SDM vol. 3A, 13.12.2)."""
_PG = 1 << 31
_ADDRESSES = (0xC0000082, 0xC0000083, 0xC0000100, 0xC0000101, 0xC0000102, 0x175, 0x176)
"""QEMU's that hold an address: LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE, SYSENTER_ESP, SYSENTER_EIP."""
_GP = 13
_WRMSR = 0x300F

TSC, APIC_BASE, TSC_ADJUST, BIOS_SIGN_ID, PLATFORM_ID, FEATURE_CONTROL = 0x10, 0x1B, 0x3B, 0x8B, 0x17, 0x3A
MISC_ENABLE, MCG_CAP, MCG_STATUS, MCG_CTL = 0x1A0, 0x179, 0x17A, 0x17B
MC0_CTL, MC0_STATUS, MC0_ADDR, MC0_MISC = 0x400, 0x401, 0x402, 0x403
TSC_DEADLINE = 0x6E0
X2APIC_FIRST, X2APIC_LAST = 0x800, 0x8FF
SPEC_CTRL, PRED_CMD, ARCH_CAPABILITIES = 0x48, 0x49, 0x10A
_MICROCODE = 0x28 << 32
"""The revision of a Haswell whose TSC-deadline timer works, in the high half of BIOS_SIGN_ID."""
_LOCKED = 1
_SPEC_CTRL_WRITABLE = 0x407  # IBRS, STIBP, SSBD, BHI_DIS_S
_IMMUNITIES = (0, 1, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62)
"""Of ARCH_CAPABILITIES: RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO,
SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO, ITS_NO: this CPU never speculates."""
_ARCH_CAPABILITIES = sum(1 << bit for bit in _IMMUNITIES)
_BANKS = 1


@native
def read_msr(engine: np.void, machine: np.void, index: int) -> tuple[bool, int | np.int64]:
    """Return (known, value)."""
    core = core_of(machine, engine["core"])
    if X2APIC_FIRST <= index <= X2APIC_LAST:
        known, value = lapic_msr.read_msr(core["lapic"], index, engine["time"])
        return known, value
    if index == APIC_BASE:
        return True, np.int64(core["lapic"]["base"])
    if index == TSC:
        return True, clock(engine, machine) + core["tsc_offset"]
    if index == TSC_ADJUST:
        return True, np.int64(core["tsc_offset"])
    if index == TSC_DEADLINE:
        lapic.expire(core["lapic"], engine["time"])
        return True, core["lapic"]["tsc_deadline"]
    return read_plain(core, index)


@native
def read_plain(core: np.void, index: int) -> tuple[bool, np.int64]:
    """Read a register that is just a value."""
    if index == MISC_ENABLE:
        return True, np.int64(core["misc_enable"])
    if index == MCG_CAP:
        return True, np.int64(_BANKS)
    if index == MCG_STATUS:
        return True, np.int64(core["mcg_status"])
    if index == MC0_CTL:
        return True, np.int64(core["mc_control"])
    if index == MC0_STATUS:
        return True, np.int64(core["mc_status"])
    if index == MC0_ADDR:
        return True, np.int64(core["mc_address"])
    if index == BIOS_SIGN_ID:
        return True, np.int64(_MICROCODE)
    if index == FEATURE_CONTROL:
        return True, np.int64(_LOCKED)
    if index == ARCH_CAPABILITIES:
        return True, np.int64(_ARCH_CAPABILITIES)
    if index == SPEC_CTRL:
        return True, np.int64(core["spec_ctrl"])
    if index == MC0_MISC:
        return True, np.int64(core["mc_misc"])
    return index == PLATFORM_ID, np.int64(0)


@native
def write_msr(engine: np.void, machine: np.void, index: int, value: int) -> bool:
    """Write a register; return False for #GP."""
    core = core_of(machine, engine["core"])
    if X2APIC_FIRST <= index <= X2APIC_LAST:
        return write_x2apic(engine, machine, core, index, value)
    if index == APIC_BASE:
        return lapic_msr.write_base(core["lapic"], value)
    if index == TSC:
        core["tsc_offset"] = value - engine["time"]
        return True
    if index == TSC_ADJUST:
        core["tsc_offset"] = value
        return True
    if index == TSC_DEADLINE:
        lapic.write_tsc_deadline(core["lapic"], value, engine["time"], core["tsc_offset"])
        retime(engine, machine, core)
        return True
    return write_plain(core, index, value)


@native
def write_plain(core: np.void, index: int, value: int) -> bool:
    """Write a register that is just a value. Only zero clears a bank's status (SDM vol. 3B, 17.3.2.2).

    Its address and the rest take any value, as they do of QEMU and of KVM: software tests its handlers so.
    """
    if index == MISC_ENABLE:
        core["misc_enable"] = value
    elif index == MCG_STATUS:
        core["mcg_status"] = value & 7
    elif index == MC0_CTL and value in (0, -1):
        core["mc_control"] = value
    elif index == MC0_STATUS and value == 0:
        core["mc_status"] = 0
    elif index == MC0_ADDR:
        core["mc_address"] = value
    elif index == MC0_MISC:
        core["mc_misc"] = value
    elif index == SPEC_CTRL and value & ~_SPEC_CTRL_WRITABLE == 0:
        core["spec_ctrl"] = value
    else:
        return index in (BIOS_SIGN_ID, PLATFORM_ID) or (index == PRED_CMD and value & ~1 == 0)
    return True


@native
def write_x2apic(engine: np.void, machine: np.void, core: np.void, index: int, value: int) -> bool:
    """Write a register of the local APIC in x2APIC mode."""
    action = lapic_msr.write_msr(core["lapic"], index, value, engine["time"])
    if action < 0:
        return False
    after_apic_write(engine, machine, action)
    return True


@native(inline=True)
def retime(engine: np.void, machine: np.void, core: np.void) -> None:
    """Let the slice end no later than the core's timer, and an interrupt that may come now be seen soon."""
    shorten(engine, max(core["lapic"]["deadline"], engine["time"]))
    if lapic.highest(core["lapic"]) >= 0 or extint(machine, engine["core"], core):
        engine["limit"] = 0


@native(inline=True)
def after_apic_write(engine: np.void, machine: np.void, action: int) -> None:
    """Do what a write to the local APIC asks of the rest of the machine."""
    index = engine["core"]
    core = core_of(machine, index)
    if action == lapic.SEND and not send_icr(machine, index, engine["time"]):
        post(machine, index, BUS_MESSAGE, core["lapic"]["icr"])
    elif action == lapic.EOI:
        broadcast_eoi(machine, core["lapic"]["eoi_vector"], index, engine["time"])
    retime(engine, machine, core)


@native
def sound_pat(value: int) -> bool:
    """Tell whether all eight entries of PAT name memory types."""
    for number in range(8):
        kind = (value >> (8 * number)) & 0xFF
        if kind > 7 or _PAT_TYPES >> kind & 1 == 0:
            return False
    return True


@native
def sound(env: np.void, index: int, value: int) -> bool:
    """Tell whether a register of QEMU's may have a value."""
    if index in _ADDRESSES:
        return canonical(value)
    if index == _EFER:
        kept = value & EFER_LME == env["efer"] & EFER_LME or env["cr"][0] & _PG == 0
        return value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE) == 0 and kept
    if index == _PAT:
        return sound_pat(value)
    return index != _TSC_AUX or value >> 32 == 0


@native
def open_window(engine: np.void, core: np.void, env: np.void) -> None:
    """End the block behind WRMSR, if that has brought an interrupt which may come now; may not return."""
    lapic.expire(core["lapic"], engine["time"])
    if env["eflags"] & IF == 0 or env["hflags"] & HF_INHIBIT_IRQ != 0 or lapic.highest(core["lapic"]) < 0:
        return
    if code_bytes(engine, env) & 0xFFFF == _WRMSR:
        env["eip"] += 2
        cpu_loop_exit_noexc(engine["cpu"])


@native
def refuse(engine: np.void) -> None:
    """Raise #GP at the instruction; does not return."""
    raise_exception_err_ra(engine["env"], _GP, 0, 0)


@entry(types.void(types.int64))
def helper_rdmsr(where: int) -> None:
    """RDMSR at CPL 0; RIP and the flags are exact where translated code calls this."""
    ours, regs = engine_on(where - CPU_ENV), env_at(where)["regs"]
    index = regs[RCX] & 0xFFFFFFFF
    if ours == 0 or index in _PLAIN or index in _ADDRESSES:
        qemu.helper_rdmsr(where)
        return
    engine = engine_at(ours)
    known, value = read_msr(engine, machine_at(engine["machine"]), index)
    if not known:
        refuse(engine)
    regs[RAX], regs[RDX] = value & 0xFFFFFFFF, (value >> 32) & 0xFFFFFFFF


@entry(types.void(types.int64))
def helper_wrmsr(where: int) -> None:
    """WRMSR at CPL 0, likewise. A message that was refused is a machine check at the instruction."""
    ours, env = engine_on(where - CPU_ENV), env_at(where)
    regs = env["regs"]
    index, value = regs[RCX] & 0xFFFFFFFF, (regs[RAX] & 0xFFFFFFFF) | (regs[RDX] << 32)
    plain = index in _PLAIN or index in _ADDRESSES
    if ours == 0 or (plain and sound(env, index, value)):
        qemu.helper_wrmsr(where)
        return
    engine = engine_at(ours)
    if plain:
        refuse(engine)
    machine = machine_at(engine["machine"])
    core = core_of(machine, engine["core"])
    done = write_msr(engine, machine, index, value)
    if core["machine_check"] != 0:
        check_machine(engine, env, core)
    elif not done:
        refuse(engine)
    elif engine["limit"] <= engine["time"]:
        open_window(engine, core, env)


FUNCTIONS = (helper_rdmsr, helper_wrmsr)
