// Unknown MSRs fault on both ways; known ones keep what is written, but no address that is not canonical.
#include "../lib/check.h"

static u64 read(u64 msr, u64 unused) { return rdmsr(msr); }

static u64 write(u64 msr, u64 value) { wrmsr(msr, value); return 0; }

int main(void) {
    static const u32 unknown[] = { 0x2345, 0x40001000, 0xc0001234, 0xdeadbeef };
    for (u32 i = 0; i < 4; i++) {
        struct outcome r = probe(read, unknown[i], 0), w = probe(write, unknown[i], 0);
        CHECK(r.vector == GP && r.error == 0 && w.vector == GP && w.error == 0);
    }
    static const u32 kept[] = { MSR_STAR, MSR_LSTAR, MSR_KERNEL_GS, 0x175, 0x277 };
    for (u32 i = 0; i < 5; i++) {
        CHECK(probe(write, kept[i], 0x0000040600070406).vector < 0);
        CHECK(probe(read, kept[i], 0).value == 0x0000040600070406);
    }
    static const u32 addresses[] = { MSR_LSTAR, 0xc0000083, 0xc0000100, MSR_GS_BASE, MSR_KERNEL_GS, 0x175, 0x176 };
    for (u32 i = 0; i < 7; i++) {
        u64 before = rdmsr(addresses[i]);
        struct outcome w = probe(write, addresses[i], 1ul << 47);
        CHECK(w.vector == GP && w.error == 0 && rdmsr(addresses[i]) == before);
    }
    for (u32 type = 0; type < 16; type++) {                     // PAT takes memory types only
        u64 pat = 0x0007000600070406 | (u64)type << 40;
        CHECK(probe(write, 0x277, pat).vector == (type < 8 && 0xf3 >> type & 1 ? -1 : GP));
    }
    u64 efer = rdmsr(MSR_EFER);
    for (u32 bit = 0; bit < 64; bit++)                          // SCE, LME, LMA, NXE; LME stands while paging is on
        CHECK(probe(write, MSR_EFER, efer | 1ul << bit).vector == (bit == 0 || bit == 8 || bit == 10 || bit == 11 ? -1 : GP));
    CHECK(probe(write, MSR_EFER, efer & ~(u64)EFER_LME).vector == GP && probe(write, MSR_EFER, efer).vector < 0);
    CHECK(probe(write, 0xc0000103, 1ul << 32).vector == GP);    // TSC_AUX
    CHECK((rdmsr(MSR_MCG_CAP) & 0xff) == 1);
    CHECK(probe(write, MSR_MC_CTL, -1ul).vector < 0 && rdmsr(MSR_MC_CTL) == -1ul && probe(write, MSR_MC_CTL, 5).vector == GP);
    CHECK(probe(write, MSR_MC_STATUS, 1).vector == GP && probe(write, MSR_MC_STATUS, 0).vector < 0);
    for (u32 index = MSR_MC_ADDR; index < MSR_MC_ADDR + 2; index++)
        CHECK(probe(write, index, 0xaaaaaaaaaaaaaaaa).vector < 0 && rdmsr(index) == 0xaaaaaaaaaaaaaaaa);
    for (u32 index = MSR_MC_CTL + 4; index < MSR_MC_CTL + 128; index++)
        CHECK(probe(read, index, 0).vector == GP && probe(write, index, 0).vector == GP);
    CHECK(probe(write, 0x10, 1000000).vector < 0 && rdtsc() - 1000000 < 1000000000);
    print("MSRs: the known ones work, the unknown ones fault\n");
    return 0;
}
