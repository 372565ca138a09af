// What CPUID denies is not there: its instructions are #UD, its bits of CR4, EFER and XCR0 are #GP. Nor is SMM.
#include "../lib/check.h"

// CPUID leaf, register (EAX, EBX, ECX, EDX) and bit; what happens without it.
enum { A, B, C, D };
struct feature { const char *name; u32 leaf, reg, bit; u64 (*attempt)(u64, u64); u64 argument; int vector; };

static u8 area[1024] __attribute__((aligned(64)));

#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { \
    asm volatile(code : "+a"(a) : "D"(area), "c"(0ul), "d"(0ul) : "memory"); return a; }
ATTEMPT(stac, "stac")
ATTEMPT(clac, "clac")
ATTEMPT(rdpkru, ".byte 0x0f, 0x01, 0xee")
ATTEMPT(wrpkru, ".byte 0x0f, 0x01, 0xef")
ATTEMPT(rdrand, "rdrand %%eax")
ATTEMPT(rdseed, "rdseed %%eax")
ATTEMPT(clflushopt, "clflushopt (%%rdi)")
ATTEMPT(clwb, "clwb (%%rdi)")
ATTEMPT(adcx, "adcx %%eax, %%eax")
ATTEMPT(rdpid, "rdpid %%rax")
ATTEMPT(invpcid, "invpcid (%%rdi), %%rax")
ATTEMPT(vaddps, ".byte 0xc5, 0xf8, 0x58, 0xc0")
ATTEMPT(sha, ".byte 0x0f, 0x38, 0xc8, 0xc0")
ATTEMPT(vmxon, "vmxon (%%rdi)")
ATTEMPT(vmcall, "vmcall")
ATTEMPT(vmrun, ".byte 0x0f, 0x01, 0xd8")
ATTEMPT(vmmcall, "vmmcall")
ATTEMPT(xsavec, "xsavec (%%rdi)")
ATTEMPT(xsaves, "xsaves (%%rdi)")
ATTEMPT(getsec, ".byte 0x0f, 0x37")
ATTEMPT(rdpmc, "rdpmc")
ATTEMPT(rsm, "rsm")
ATTEMPT(monitorx, ".byte 0x0f, 0x01, 0xfa")

static u64 cr4(u64 bit, u64 unused) { write_cr4(read_cr4() | 1ul << bit); return 0; }
static u64 efer(u64 bit, u64 unused) { wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1ul << bit); return 0; }
static u64 xcr0(u64 value, u64 unused) { asm volatile("xsetbv" :: "c"(0), "a"(value), "d"(0)); return 0; }
static u64 msr(u64 index, u64 unused) { return rdmsr(index); }

static const struct feature features[] = {
    { "SMAP",           7, B, 20,          cr4,        21,    GP }, { "STAC",       7, B, 20, stac,       0,     UD },
    { "CLAC",           7, B, 20,          clac,       0,     UD }, { "UMIP",       7, C, 2,  cr4,        11,    GP },
    { "PKU",            7, C, 3,           cr4,        22,    GP }, { "RDPKRU",     7, C, 3,  rdpkru,     0,     UD },
    { "WRPKRU",         7, C, 3,           wrpkru,     0,     UD }, { "LA57",       7, C, 16, cr4,        12,    GP },
    { "PCID",           1, C, 17,          cr4,        17,    GP }, { "VMXE",       1, C, 5,  cr4,        13,    GP },
    { "SMXE",           1, C, 6,           cr4,        14,    GP }, { "CET",        7, C, 7,  cr4,        23,    GP },
    { "PKS",            7, C, 31,          cr4,        24,    GP }, { "RDRAND",     1, C, 30, rdrand,     0,     UD },
    { "RDSEED",         7, B, 18,          rdseed,     0,     UD }, { "CLFLUSHOPT", 7, B, 23, clflushopt, 0,     UD },
    { "CLWB",           7, B, 24,          clwb,       0,     UD }, { "ADX",        7, B, 19, adcx,       0,     UD },
    { "RDPID",          7, C, 22,          rdpid,      0,     UD }, { "INVPCID",    7, B, 10, invpcid,    0,     UD },
    { "AVX",            1, C, 28,          vaddps,     0,     UD }, { "YMM",        1, C, 28, xcr0,       7,     GP },
    { "SHA",            7, B, 29,          sha,        0,     UD }, { "VMXON",      1, C, 5,  vmxon,      0,     UD },
    { "VMCALL",         1, C, 5,           vmcall,     0,     UD }, { "SVM",        0x80000001, C, 2, efer, 12,  GP },
    { "VMRUN",          0x80000001, C, 2,  vmrun,      0,     UD }, { "VMMCALL",    0x80000001, C, 2, vmmcall, 0, UD },
    { "GETSEC",         1, C, 6,           getsec,     0,     UD }, { "MONITORX",   0x80000001, C, 29, monitorx, 0, UD },
    { "MTRR",           1, D, 12,          msr,        0xfe,  GP }, { "VMX MSRs",   1, C, 5,  msr,        0x480, GP },
    { "RDPMC",          0xa, A, 8,         rdpmc,      0,     GP },
};

int main(void) {
    CHECK(probe(cr4, 18, 0).vector < 0);                        // OSXSAVE, which is there
    for (u32 i = 0; i < sizeof features / sizeof *features; i++) {
        const struct feature *f = &features[i];
        struct cpuid id = cpuid(f->leaf, 0);
        u32 reg[] = { id.eax, id.ebx, id.ecx, id.edx };
        struct outcome o = probe(f->attempt, f->argument, 0);
        print("%s: CPUID %u, vector %d\n", f->name, reg[f->reg] >> f->bit & 1, o.vector);
        CHECK(!(reg[f->reg] >> f->bit & 1) && o.vector == f->vector && o.error == 0);
    }
    u32 xsave = cpuid(0xd, 1).eax;
    CHECK(!(xsave & 2) && probe(xsavec, 0, 0).vector == UD);
    CHECK(!(xsave & 8) && probe(xsaves, 0, 0).vector == UD);
    lapic_send(lapic_id(), ICR_SMI);                            // there is no SMM: nobody takes it, nothing is lost
    CHECK(probe(rsm, 0, 0).vector == UD && lapic_read(APIC_ESR) == 0);
    print("what CPUID denies is not there\n");
    return 0;
}
