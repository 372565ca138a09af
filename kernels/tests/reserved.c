// Control registers refuse what has no meaning: reserved bits, paging without protection. SDM vol. 3A, 2.5.
#include "../lib/check.h"

static u64 set_cr0(u64 value, u64 unused) { write_cr0(value); return 0; }

static u64 load_msw(u64 value, u64 unused) { asm volatile("lmsw %w0" :: "r"(value)); return read_cr0(); }

static u64 set_cr3(u64 value, u64 unused) { write_cr3(value); return 0; }

static u64 set_cr4(u64 value, u64 unused) { write_cr4(value); return 0; }

static u64 set_cr8(u64 value, u64 unused) { write_cr8(value); return 0; }

int main(void) {
    CHECK(probe(set_cr8, 16, 0).vector == GP);
    CHECK(probe(set_cr8, 5, 0).vector < 0 && read_cr8() == 5 && lapic_read(APIC_TPR) == 0x50);
    CHECK(probe(set_cr8, 0, 0).vector < 0);
    CHECK(probe(set_cr3, read_cr3() | 1ull << 40, 0).vector == GP);
    CHECK(probe(set_cr0, read_cr0() | 1ull << 40, 0).vector == GP);
    CHECK(probe(set_cr4, read_cr4() | 1ull << 31, 0).vector == GP);
    CHECK(probe(set_cr4, read_cr4() & ~(1ull << 5), 0).vector == GP);       // PAE, in long mode
    CHECK(probe(set_cr0, read_cr0() & ~1ull, 0).vector == GP);
    CHECK(probe(set_cr0, read_cr0() & ~(1ull << 31), 0).vector == GP);      // PG, in 64-bit code
    CHECK(probe(set_cr0, read_cr0() | 1ull << 29, 0).vector == GP);         // NW without CD
    CHECK(probe(load_msw, 0xfff8, 0).value == (read_cr0() & ~6ull) && read_cr0() & 8);      // TS alone of these
    CHECK(probe(load_msw, 0, 0).value & 1 && !(read_cr0() & 0xe));                          // not out of PE
    print("control registers take what they have\n");
    return 0;
}
