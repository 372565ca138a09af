"""Wild deeds, drawn: x86-64 instructions at wild addresses, pieces of code for `wild_guest`."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.properties.wild_guest import PD, WRMSR, mov32, mov64

RAX, RCX, RDX, RBX, RSI, RDI = 0, 1, 2, 3, 6, 7
EDGES = (0, -1, 1, -2, 2, -3, -4, 4, -7, -8, 8, -15, -16, 16, -0x1000, 0xFF8, 0x1000)
FIXED_SEAMS = (
    0, 0x1000, 0x70000, 0x80000, 0xA0000, 0xF0000, 0x100000, 0xC0000000, 0xFEC00000, 0xFEE00000, 0xFEE01000,
    0xFFFF0000, 0x100000000, 0x10000000000, 1 << 44, 1 << 47, (1 << 64) - (1 << 47),
)  # fmt: skip

# What is done at [rdi] (and [rsi]), with drawn rax, rcx, rdx
AT_ADDRESS = [bytes.fromhex(code) for code in (
    "8a07", "668b07", "8b07", "488b07", "0f1007", "0f2807", "dd07", "db2f", "d7",      # loads
    "8807", "668907", "8907", "488907", "0f1107", "0f2907", "660fe707", "660ff7c1", "dd1f", "db3f",  # stores
    "c607c3", "48ff07", "f60755", "48010f", "8607", "488707", "0fb607", "480fc30f",
    "f3a4", "f348a5", "f3aa", "f348ab", "f3a6", "f2ae", "fdf3a4", "fdf3aa", "fdf348a5", "f3ac",  # strings
    "f00fb117", "f0480fb117", "f00fc107", "f0480fc707", "480fc70f", "0fc70f", "f00fab07", "480fab07", "480fb307",
    "4889fc50", "4889fc58", "4889fce800000000", "4889fcc3", "4889fc48cf", "4889fc48cb", "4889fc9c", "4889fc9d",
    "4889fcc8100001", "4889fdc9", "4889fc0f0b", "4889fccc", "4889fccd80", "4889fc0f05", "4889fc6a00", "4889fcf4",
    "ffe7", "ffd7", "ff27", "48ff2f", "ff1f", "4889fcfbf4",                             # jumps
    "0f0117", "0f011f", "0f011fcc", "0f0117cc", "0f0107", "0f010f", "0f22df8a06", "0f22df", "0f00d7", "0f00df",
    "0fae07", "0fae0f", "0fae27", "0fae2f", "dd37", "dd27", "0fae3f", "0f1807", "0f013f8a07",
    "4889f80f01c831c00f01c9", "4889f80f01d8", "4889f80f01da", "4889f80f01db", "0f01d9", "0f01dc", "0f01dd",
    "0f20df488907", "0f22c7", "0f22e7", "0f23ff", "0f22c70f22df8a07", "8ed7", "8edf", "8ec7", "0f01f7",
    "0f03c7", "0f02c7", "0f00e7", "0f00ef", "0f01f8", "0f0807", "0f09", "0fa2", "0f31", "0f33",
)]  # fmt: skip
MSRS = (
    0x10, 0x1B, 0x3B, 0x174, 0x175, 0x176, 0x179, 0x17A, 0x1A0, 0x277, 0x2FF, 0x400, 0x401, 0x402, 0x6E0, 0x808,
    0x80F, 0x830, 0x83F, 0xC0000080, 0xC0000081, 0xC0000082, 0xC0000100, 0xC0000101, 0xC0010114, 0xC0010117,
)  # fmt: skip
PORTS = (0x20, 0x21, 0x40, 0x43, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, 0xA0, 0xE9, 0xF4, 0xF8, 0x3F8, 0x2F8, 0x4D0,
         0x600, 0x604, 0xCF8, 0xCF9, 0xCFC, 0xFFFF)  # fmt: skip
PORT_CODE = [
    bytes.fromhex(code) for code in ("ec", "66ed", "ed", "ee", "66ef", "ef", "f36c", "f36e", "f36d", "f36f")
]
X2APIC = mov32(RCX, 0x1B) + mov32(RAX, 0xFEE00C00) + b"\x31\xd2" + WRMSR

words = st.sampled_from([0, 1, 7, 8, 64, 0x1000, (1 << 64) - 1, 0xFF]) | st.integers(0, (1 << 64) - 1)
counts = st.sampled_from([0, 1, 2, 8, 16, 33, 64, 513, (1 << 64) - 1])


def addresses(seams: Sequence[int], memory: int) -> st.SearchStrategy[int]:
    near = st.builds(
        lambda seam, edge: (seam + edge) & (1 << 64) - 1, st.sampled_from(seams), st.sampled_from(EDGES)
    )
    anywhere = st.integers(0, memory + 0x2000)
    low = near | near | anywhere
    above = st.builds(
        lambda at, alias: (at + alias) & (1 << 64) - 1, low, st.sampled_from([1 << 32, -(1 << 32)])
    )
    return st.one_of(low, low, low, above)


def deeds(base: int, seams: Sequence[int], memory: int) -> st.SearchStrategy[bytes]:
    """Return a strategy for one deed of a guest at `base`."""
    where = addresses((*seams, *FIXED_SEAMS), memory)

    def at(code: bytes, one: int, other: int, a: int, count: int, d: int) -> bytes:
        return mov64(RDI, one) + mov64(RSI, other) + mov64(RAX, a) + mov64(RCX, count) + mov64(RDX, d) + code

    access = st.builds(at, st.sampled_from(AT_ADDRESS), where, where, words | where, counts, words)

    def remap(entry: int, page: int, flags: int, page_of: int, code: bytes) -> bytes:
        directory = mov64(RBX, base + PD + 8 * entry) + mov64(RAX, page & ~0xFFF | flags) + b"\x48\x89\x03"
        flushed = directory + b"\x0f\x20\xd8\x0f\x22\xd8"  # mov rax, cr3; mov cr3, rax
        return flushed + mov64(RDI, (entry << 21) + page_of) + mov64(RSI, entry << 21) + mov64(RCX, 3) + code

    entries = st.integers(2, 9)
    flags = st.sampled_from([0x07, 0x03, 0x27, 0x67, 0x87, 0xE7, 0x1E7])
    remapped = st.builds(remap, entries, where, flags, st.integers(0, 0x1FFFFF), st.sampled_from(AT_ADDRESS))

    def xapic(destination: int, command: int) -> bytes:
        high = mov64(RDI, 0xFEE00310) + mov32(RAX, destination << 24) + b"\x89\x07"
        return high + mov64(RDI, 0xFEE00300) + mov32(RAX, command) + b"\x89\x07"

    def x2apic(destination: int, command: int) -> bytes:
        return X2APIC + mov32(RCX, 0x830) + mov32(RAX, command) + mov32(RDX, destination) + WRMSR

    who = st.integers(0, 5) | st.sampled_from([0xFF, 0xFFFFFFFF, 0x10001, 3, 15]) | st.integers(0, 255)
    mode = st.builds(
        lambda vector, mode, more: vector | mode << 8 | more,
        st.integers(0, 255), st.integers(0, 7), st.sampled_from([0, 0x4000, 0x44000, 0x84000, 0xC4000, 0x800, 0xC000]),
    )  # fmt: skip
    messages = st.builds(xapic, who, mode) | st.builds(x2apic, who, mode)
    registers = st.builds(
        lambda index, value: mov32(RCX, index) + mov64(RAX, value) + mov64(RDX, value >> 32) + WRMSR,
        st.sampled_from(MSRS), words | where,
    )  # fmt: skip
    chips = st.builds(
        lambda page, offset, value: mov64(RDI, page + offset) + mov64(RAX, value) + b"\x89\x07\x8b\x07",
        st.sampled_from([0xFEC00000, 0xFEE00000, 0xFED00000]), st.integers(0, 0x3F).map(lambda n: n * 16), words,
    )  # fmt: skip
    ports = st.builds(
        lambda port, edge, code, value, address: mov32(RDX, port + edge & 0xFFFF) + mov32(RAX, value) + mov32(RCX, 3)
        + mov64(RDI, address) + mov64(RSI, address) + code,
        st.sampled_from(PORTS), st.integers(-3, 7), st.sampled_from(PORT_CODE), words, where,
    )  # fmt: skip
    interrupts = st.builds(lambda vector: bytes([0xCD, vector]), st.integers(0, 255))
    plain = st.sampled_from([b"\xfa", b"\xfb\xf4", b"\xfa\xf4", b"\xfb", b"\xf3\x90", b"\xf4"])
    noise = st.builds(
        lambda one, other, code: mov64(RDI, one) + mov64(RSI, other) + mov64(RBX, one) + mov64(RAX, other) + code,
        where, where, st.binary(min_size=1, max_size=16),
    )  # fmt: skip
    return st.one_of(
        access, access, access, access, remapped, messages, registers, chips, ports, interrupts, plain, noise
    )
