"""A guest that does wild things one after the other, spelt out in bytes: long mode, 4 GiB mapped one to one.

Each deed is a piece of code. The dispatcher puts tables, stack and MCG_STATUS in order, and jumps to the next;
a deed ends by jumping back, or by any exception. Offsets are from the image's base.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

GDT, GDTR, IDTR, TSS = 0x800, 0x840, 0x850, 0x880
DISPATCHER, HANDLER, LAST = 0x1000, 0x1100, 0x1180
IDT, TABLE, CELLS = 0x2000, 0x3000, 0x3800
PML4, PDPT, PD = 0x4000, 0x5000, 0x6000
STACK, DEEDS, SIZE = 0xC000, 0x10000, 0x18000
NEXT, FAULTS, GO = CELLS, CELLS + 4, CELLS + 8
FAULTS_MAX = 64
APIC_SPURIOUS = 0xFEE000F0
CR4 = 0x20 | 0x40 | 0x600  # PAE, MCE, OSFXSR, OSXMMEXCPT
LME_SCE_NXE = 0x901
CODE64, FLAT, TSS64 = 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x0000890000000067


def mov32(register: int, value: int) -> bytes:
    """mov r32, imm32"""
    return bytes([0xB8 + register]) + struct.pack("<I", value & 0xFFFFFFFF)


def mov64(register: int, value: int) -> bytes:
    """mov r64, imm64"""
    rex = 0x49 if register >= 8 else 0x48
    return bytes([rex, 0xB8 + (register & 7)]) + struct.pack("<Q", value & (1 << 64) - 1)


def jump(target: int) -> bytes:
    """mov r11, target; jmp r11"""
    return mov64(11, target) + b"\x41\xff\xe3"


WRMSR = b"\x0f\x30"
EXIT = b"\xe7\xf4\xfa\xf4\xeb\xfd"  # out 0xf4, eax; cli; hlt; jmp


def enter(base: int) -> bytes:
    """From the PVH entry, 32-bit without paging, to 64-bit code with IDT and TSS; then wait for GO."""
    to_long_mode = (
        b"\x0f\x01\x15" + struct.pack("<I", base + GDTR)
        + mov32(0, CR4) + b"\x0f\x22\xe0" + mov32(0, base + PML4) + b"\x0f\x22\xd8"
        + mov32(1, 0xC0000080) + mov32(0, LME_SCE_NXE) + b"\x31\xd2" + WRMSR
        + mov32(0, 0x80010033) + b"\x0f\x22\xc0"
    )  # fmt: skip
    far = base + len(to_long_mode) + 7
    return (
        to_long_mode + b"\xea" + struct.pack("<IH", far, 8)
        + mov32(0, 0x10) + b"\x8e\xd8\x8e\xc0\x8e\xd0" + mov32(0, 0x18) + b"\x0f\x00\xd8"
        + mov64(7, APIC_SPURIOUS) + b"\xc7\x07" + struct.pack("<I", 0x1FF)
        + mov64(7, base + GO) + b"\xf3\x90\x83\x3f\x00\x74\xf9"  # pause; cmp dword [rdi], 0; je
        + jump(base + DISPATCHER)
    )  # fmt: skip


def dispatcher(base: int, deeds: int) -> bytes:
    order = (
        b"\xfc" + mov64(0, base + PML4) + b"\x0f\x22\xd8" + mov64(0, base + IDTR) + b"\x0f\x01\x18"
        + b"\x31\xc0\x31\xd2" + mov32(1, 0x17A) + WRMSR  # IA32_MCG_STATUS: ready for another check
        + mov64(4, base + STACK) + mov64(7, base + NEXT)
        + b"\x8b\x07\xff\x07\x3d" + struct.pack("<I", deeds)  # mov eax, [rdi]; inc dword [rdi]; cmp eax, deeds
    )  # fmt: skip
    go_on = mov64(3, base + TABLE) + b"\xff\x24\xc3"  # jmp [rbx+rax*8]
    return order + b"\x72" + bytes([len(jump(0))]) + jump(base + LAST) + go_on


def handler(base: int) -> bytes:
    count = mov64(7, base + FAULTS) + b"\xff\x07\x81\x3f" + struct.pack("<I", FAULTS_MAX)
    return count + b"\x72" + bytes([len(jump(0))]) + jump(base + LAST) + jump(base + DISPATCHER)


def gate(target: int, stack: int) -> bytes:
    return struct.pack("<HHBBHII", target & 0xFFFF, 8, stack, 0x8E, target >> 16 & 0xFFFF, target >> 32, 0)


def page_tables(base: int) -> bytes:
    """4 GiB one to one in pages of 2 MiB; again above them, and again at the very top of the address space."""
    pml4, pdpt = [0] * 512, [0] * 512
    pml4[0] = pml4[511] = (base + PDPT) | 7
    for number in range(4):
        pdpt[number] = pdpt[4 + number] = pdpt[508 + number] = (base + PD + 0x1000 * number) | 7
    directories = [number << 21 | 0x87 for number in range(2048)]
    return struct.pack("<3072Q", *pml4, *pdpt, *directories)


@dataclass(frozen=True)
class Wild:
    """What a wild guest does; `careful` has every exception on a stack of its own."""

    deeds: Sequence[bytes]
    careful: bool = True

    def image(self, base: int) -> bytes:
        image = bytearray(SIZE)
        at, starts = DEEDS, []
        for deed in self.deeds:
            starts.append(base + at)
            code = deed + jump(base + DISPATCHER)
            image[at : at + len(code)] = code
            at += len(code)
        gates = [gate(base + HANDLER, 1 if self.careful or n in (8, 18) else 0) for n in range(256)]
        tss = struct.pack("<I4Q", 0, base + STACK, 0, 0, 0) + struct.pack("<7Q", *[base + STACK] * 7)
        descriptor = TSS64 | (base + TSS & 0xFFFFFF) << 16 | (base + TSS >> 24 & 0xFF) << 56
        for offset, part in (
            (0, enter(base)),
            (GDT, struct.pack("<5Q", 0, CODE64, FLAT, descriptor, 0)),
            (GDTR, struct.pack("<HQ", 39, base + GDT)),
            (IDTR, struct.pack("<HQ", 4095, base + IDT)),
            (TSS, tss),
            (DISPATCHER, dispatcher(base, len(starts))),
            (HANDLER, handler(base)),
            (LAST, mov32(0, 1) + EXIT),
            (IDT, b"".join(gates)),
            (TABLE, struct.pack(f"<{len(starts)}Q", *starts)),
            (PML4, page_tables(base)),
        ):
            image[offset : offset + len(part)] = part
        return bytes(image)


def sleeper(_base: int) -> bytes:
    """Enable the local APIC, so that it would take interrupts; then sleep for ever."""
    return b"\xc7\x05" + struct.pack("<II", APIC_SPURIOUS, 0x1FF) + b"\xfa\xf4\xeb\xfd"


def counter(base: int) -> bytes:
    """Count in a cell of its own page, at 0x100."""
    loop = b"\xff\x05" + struct.pack("<I", base + 0x100) + b"\xf3\x90"
    return (
        b"\xc7\x05" + struct.pack("<II", APIC_SPURIOUS, 0x1FF) + loop + b"\xeb" + bytes([256 - len(loop) - 2])
    )
