"""What CPUID answers: the features of QEMU's Haswell that TCG really executes, and what the machine adds.

Left out because TCG 5.0 has no such instructions (AVX, FMA, F16C, INVPCID, SMAP, RTM), because their answer
would be the host's (RDRAND, RDSEED), or because nobody here keeps such registers (MTRR, PCID, VMX, PMU).
SDM vol. 2A, CPUID, tables 3-8 to 3-23.
"""

from enum import IntFlag

import numpy as np

ROW = np.dtype(
    [("leaf", "<u4"), ("subleaf", "<i4"), ("eax", "<u4"), ("ebx", "<u4"), ("ecx", "<u4"), ("edx", "<u4")]
)
ANY = -1
"""A leaf that has no subleaves: ECX is ignored."""


class Feature1C(IntFlag):
    """Leaf 1, ECX."""

    SSE3, PCLMULQDQ, MONITOR, SSSE3 = 1 << 0, 1 << 1, 1 << 3, 1 << 9
    CMPXCHG16B, SSE4_1, SSE4_2, X2APIC = 1 << 13, 1 << 19, 1 << 20, 1 << 21
    MOVBE, POPCNT, TSC_DEADLINE, AES = 1 << 22, 1 << 23, 1 << 24, 1 << 25
    XSAVE, OSXSAVE = 1 << 26, 1 << 27


class Feature1D(IntFlag):
    """Leaf 1, EDX."""

    FPU, VME, DE, PSE, TSC, MSR, PAE, MCE = (1 << bit for bit in range(8))
    CX8, APIC, SEP, PGE = 1 << 8, 1 << 9, 1 << 11, 1 << 13
    MCA, CMOV, PAT, PSE36, CLFSH = 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 19
    MMX, FXSR, SSE, SSE2, HTT = 1 << 23, 1 << 24, 1 << 25, 1 << 26, 1 << 28


class Feature7B(IntFlag):
    """Leaf 7, EBX."""

    FSGSBASE, TSC_ADJUST, BMI1 = 1 << 0, 1 << 1, 1 << 3
    SMEP, BMI2, ERMS = 1 << 7, 1 << 8, 1 << 9


class Feature7D(IntFlag):
    """Leaf 7, EDX: there is nothing to control, and IA32_ARCH_CAPABILITIES says so."""

    SPEC_CTRL, STIBP, ARCH_CAPABILITIES, SSBD = 1 << 26, 1 << 27, 1 << 29, 1 << 31


class FeatureExtC(IntFlag):
    """Leaf 0x80000001, ECX."""

    LAHF, LZCNT = 1 << 0, 1 << 5


class FeatureExtD(IntFlag):
    """Leaf 0x80000001, EDX."""

    SYSCALL, NX, RDTSCP, LM = 1 << 11, 1 << 20, 1 << 27, 1 << 29


def _all(flags: type[IntFlag], without: int = 0) -> int:
    return sum(flag.value for flag in flags) & ~without


SIGNATURE = 0x000306C4
"""Family 6, model 0x3c, stepping 4: Haswell."""
BHI_CTRL = 1 << 4
"""Leaf 7, subleaf 2, EDX: SPEC_CTRL has BHI_DIS_S, which spares Linux a loop at every system call."""
BRAND = b"mksim multikernel machine".ljust(48, b"\0")
_VENDOR = b"GenuineIntel"  # AuthenticAMD would send Linux to registers that are not here
_CACHE_LINE = 64


def _words(text: bytes) -> list[int]:
    return np.frombuffer(text, "<u4").tolist()


def _vendor() -> tuple[int, int, int]:
    ebx, edx, ecx = _words(_VENDOR)
    return ebx, ecx, edx


def _cache(
    kind: int, level: int, ways: int, sets: int, shared_by: int, cores: int
) -> tuple[int, int, int, int]:
    """Leaf 4: one cache (type 1 data, 2 code, 3 unified)."""
    eax = kind | level << 5 | 1 << 8 | (shared_by - 1) << 14 | (min(cores, 64) - 1) << 26
    return eax, (ways - 1) << 22 | (_CACHE_LINE - 1), sets - 1, 0


def rows(*, rate: int, cores: int, apic_id_bits: int) -> np.ndarray:
    """Return the table, ROW records: `rate` in Hz is TSC and APIC timer alike; `apic_id_bits` spans all IDs.

    The local APIC's ID, OSXSAVE and the like are the asking core's and not in here.
    """
    ebx, ecx, edx = _vendor()
    brand = _words(BRAND)
    leaf1_ebx = (_CACHE_LINE // 8) << 8 | min(cores, 255) << 16
    features = _all(Feature1C, without=Feature1C.OSXSAVE)
    single = 0 if cores > 1 else Feature1D.HTT
    smt, core = 1, 2  # level types of leaf 0xb
    table = [
        (0x00, ANY, 0x16, ebx, ecx, edx),
        (0x01, ANY, SIGNATURE, leaf1_ebx, features, _all(Feature1D, without=single)),
        (0x02, ANY, 0x00FEFF01, 0, 0, 0),  # "see leaf 4"
        (0x04, 0, *_cache(1, 1, 8, 64, 1, cores)),
        (0x04, 1, *_cache(2, 1, 8, 64, 1, cores)),
        (0x04, 2, *_cache(3, 2, 8, 512, 1, cores)),
        (0x04, 3, *_cache(3, 3, 16, 8192, min(cores, 4096), cores)),
        (0x05, ANY, _CACHE_LINE, _CACHE_LINE, 1, 0),
        (0x06, ANY, 1 << 2, 0, 0, 0),  # ARAT: the APIC timer never stops
        (0x07, 0, 2, _all(Feature7B), 0, _all(Feature7D)),
        (0x07, 1, 0, 0, 0, 0),
        (0x07, 2, 0, 0, 0, BHI_CTRL),
        (0x0B, 0, 0, 1, smt << 8, 0),
        (0x0B, 1, apic_id_bits, cores, core << 8 | 1, 0),
        (0x0B, 2, 0, 0, 2, 0),
        (0x0D, 0, 3, 0x240, 0x240, 0),  # x87 and SSE
        (0x0D, 1, 1, 0, 0, 0),  # XSAVEOPT
        (0x15, ANY, 1, 1, rate, 0),  # the crystal is the TSC
        (0x16, ANY, rate // 10**6, rate // 10**6, 100, 0),
        (0x80000000, ANY, 0x80000008, 0, 0, 0),
        (0x80000001, ANY, 0, 0, _all(FeatureExtC), _all(FeatureExtD)),
        (0x80000002, ANY, *brand[0:4]),
        (0x80000003, ANY, *brand[4:8]),
        (0x80000004, ANY, *brand[8:12]),
        (0x80000007, ANY, 0, 0, 0, 1 << 8),  # invariant TSC
        (0x80000008, ANY, 40 | 48 << 8, 0, 0, 0),
    ]  # fmt: skip
    return np.array(table, ROW)
