"""The local APIC from the guest's side: registers as a kernel numbers them (SDM vol. 3A, chapter 12)."""

import numpy as np

from mksim.hw import lapic

ID, VERSION, TPR, APR, PPR, EOI, RRD = 0x20, 0x30, 0x80, 0x90, 0xA0, 0xB0, 0xC0
LDR, DFR, SVR, ISR, TMR, IRR, ESR = 0xD0, 0xE0, 0xF0, 0x100, 0x180, 0x200, 0x280
CMCI, ICR, ICR2 = 0x2F0, 0x300, 0x310
LVTT, LVTTHMR, LVTPC, LVT0, LVT1, LVTERR = 0x320, 0x330, 0x340, 0x350, 0x360, 0x370
TMICT, TMCCT, TDCR = 0x380, 0x390, 0x3E0
LVTS = (LVTT, LVTTHMR, LVTPC, LVT0, LVT1, LVTERR)

MASKED, PERIODIC, DEADLINE = 0x10000, 0x20000, 0x40000
DIVIDE_BY = {1: 0b1011, 2: 0b0000, 4: 0b0001, 8: 0b0010, 16: 0b0011, 32: 0b1000, 64: 0b1001, 128: 0b1010}
NMI, SMI, INIT, EXTINT = 4, 2, 5, 7

XAPIC, X2APIC, DISABLED, INVALID = 0xFEE00800, 0xFEE00C00, 0xFEE00000, 0xFEE00400
SEND_ILLEGAL, RECEIVE_ILLEGAL, ILLEGAL_REGISTER = 0x20, 0x40, 0x80


def power_up(apic_id: int = 0, *, bsp: bool = False) -> np.void:
    apic = np.zeros(1, lapic.LAPIC)[0]
    lapic.power_up(apic, apic_id, bsp)
    return apic


def started(apic_id: int = 0) -> np.void:
    """As a kernel has it: enabled by software, spurious vector 0xff."""
    apic = power_up(apic_id)
    lapic.write(apic, SVR, 0x1FF, 0)
    return apic


def x2apic(apic_id: int = 0) -> np.void:
    apic = started(apic_id)
    assert lapic.write_base(apic, X2APIC)
    return apic


def read(apic: np.void, offset: int, now: int = 0) -> int:
    return int(lapic.read(apic, offset, now))


def write(apic: np.void, offset: int, value: int, now: int = 0) -> int:
    return int(lapic.write(apic, offset, value, now))


def vectors(apic: np.void, register: int) -> set[int]:
    words = [read(apic, register + 16 * index) for index in range(8)]
    return {vector for vector in range(256) if words[vector // 32] >> vector % 32 & 1}


def errors(apic: np.void) -> int:
    write(apic, ESR, 0)
    return read(apic, ESR)
