// Unknown MSRs fault on both ways; known ones keep what is written, but no address that is not canonical.
#include "../lib/check.h"

static u64 read(u64 msr, u64 unused) { return rdmsr(msr); }

static u64 write(u64 msr, u64 value) { wrmsr(msr, value); return 0; }

// The counter and its adjustment move together; RDTSCP tells TSC_AUX. SDM vol. 3B, 19.17.
static void check_tsc(void) {
    enum { TSC = 0x10, TSC_ADJUST = 0x3b, TSC_AUX = 0xc0000103 };
    u64 far = 100000000000, before = rdtsc();
    CHECK(rdmsr(TSC_ADJUST) == 0);
    wrmsr(TSC_ADJUST, far);
    CHECK(rdmsr(TSC_ADJUST) == far && rdtsc() - before >= far);
    wrmsr(TSC_ADJUST, 0);
    before = rdtsc();
    CHECK(before < far);
    wrmsr(TSC, far);
    u64 after = rdtsc(), adjusted = rdmsr(TSC_ADJUST);
    CHECK(after >= far && before <= far - adjusted && adjusted <= far);
    for (u32 value = 0; value < 0x1000; value += 0x123) {
        u32 aux;
        wrmsr(TSC_AUX, value);
        asm volatile("rdtscp" : "=c"(aux) :: "rax", "rdx");
        CHECK(aux == value);
    }
}

int main(void) {
    check_tsc();
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
    u64 misc = rdmsr(0x1a0);                                    // IA32_MISC_ENABLE
    CHECK(probe(write, 0x1a0, 0x400c50809).vector < 0 && (rdmsr(0x1a0) & ~0x1880ul) == (0x400c50809 & ~0x1880ul));
    wrmsr(0x1a0, misc);
    print("MSRs: the known ones work, the unknown ones fault\n");
    return 0;
}
