// XSAVE, XSAVEOPT and XRSTOR of x87 and SSE, and what XCR0 and the header refuse. SDM vol. 1, chapter 13.
#include "../lib/check.h"

static u8 image[1024] __attribute__((aligned(64))), other[1024] __attribute__((aligned(64)));
#define WORD(area, offset)  (*(volatile u64 *)((area) + (offset)))
enum { X87 = 1, SSE = 2, XMM0 = 160, XSTATE_BV = 512, XCOMP_BV = 520, RESERVED = 528 };

#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { asm volatile(code :: "D"(a), "a"(b), "d"(0) : "memory"); return 0; }
ATTEMPT(save, "xsave64 (%0)")
ATTEMPT(save_changed, "xsaveopt64 (%0)")
ATTEMPT(restore, "xrstor64 (%0)")
ATTEMPT(fxsave, "fxsave64 (%0)")

static u64 xgetbv(u64 number, u64 unused) {
    u32 low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"((u32)number));
    return (u64)high << 32 | low;
}
static u64 xsetbv(u64 value, u64 number) {
    asm volatile("xsetbv" :: "c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
    return 0;
}
static u64 set_cr4(u64 value, u64 unused) { write_cr4(value); return 0; }

static void set_xmm0(u64 value) { asm volatile(".byte 0x66, 0x48, 0x0f, 0x6e, 0xc0" :: "a"(value)); }
static u64 xmm0(void) { u64 v; asm volatile(".byte 0x66, 0x48, 0x0f, 0x7e, 0xc0" : "=a"(v)); return v; }

static bool refused(u64 (*attempt)(u64, u64), u64 a, u64 b) {
    struct outcome o = probe(attempt, a, b);
    return o.vector == GP && o.error == 0;
}

int main(void) {
    write_cr0((read_cr0() & ~0xcul) | 2);                       // MP, not EM or TS
    CHECK(probe(save, (u64)image, 3).vector == UD && probe(xgetbv, 0, 0).vector == UD);
    CHECK(!(cpuid(1, 0).ecx >> 27 & 1));
    CHECK(probe(set_cr4, read_cr4() | 1 << 18 | 3 << 9, 0).vector < 0);     // OSXSAVE, OSFXSR, OSXMMEXCPT
    CHECK(cpuid(1, 0).ecx >> 27 & 1);
    CHECK(cpuid(0xd, 0).eax == (X87 | SSE) && cpuid(0xd, 0).ebx == 576 && cpuid(0xd, 0).ecx == 576);
    CHECK(xgetbv(0, 0) == X87 && probe(xgetbv, 1ul << 32, 0).value == X87);
    CHECK(probe(xsetbv, X87 | SSE, 0).vector < 0 && probe(xsetbv, X87 | SSE, 1ul << 40).vector < 0);
    CHECK(refused(xsetbv, 0, 0) && refused(xsetbv, SSE, 0) && refused(xsetbv, 7, 0) && refused(xsetbv, 1ul << 63 | 3, 0));
    for (u32 i = 1; i < 64; i++)
        CHECK(refused(xsetbv, X87, i) && refused(xgetbv, i, 0));

    set_xmm0(0x1234567890abcdef);
    CHECK(probe(save, (u64)image, X87 | SSE).vector < 0);
    CHECK(WORD(image, XSTATE_BV) & SSE && WORD(image, XMM0) == 0x1234567890abcdef);
    WORD(image, XMM0) = 99;
    CHECK(probe(save, (u64)image, X87).vector < 0 && WORD(image, XMM0) == 99);  // SSE was not asked for
    CHECK(probe(restore, (u64)image, X87).vector < 0 && xmm0() == 0x1234567890abcdef);
    CHECK(probe(restore, (u64)image, X87 | SSE).vector < 0 && xmm0() == 99);
    WORD(image, XSTATE_BV) = X87;                               // no SSE in it: as after reset
    CHECK(probe(restore, (u64)image, X87 | SSE).vector < 0 && xmm0() == 0);
    CHECK(probe(save_changed, (u64)other, X87 | SSE).vector < 0);

    CHECK(refused(save, (u64)image + 8, 3) && refused(restore, (u64)image + 16, 3));     // 64 bytes apart
    CHECK(refused(fxsave, (u64)image + 8, 0));
    WORD(image, XSTATE_BV) = 4 | X87;
    CHECK(refused(restore, (u64)image, X87 | SSE));             // what XCR0 has not
    WORD(image, XSTATE_BV) = X87 | SSE;
    WORD(image, RESERVED) = 1;
    CHECK(refused(restore, (u64)image, X87 | SSE));
    WORD(image, RESERVED) = 0;
    WORD(image, XCOMP_BV) = 1ul << 63;
    CHECK(refused(restore, (u64)image, X87 | SSE));             // compacted, without XSAVEC
    WORD(image, XCOMP_BV) = 0;
    CHECK(probe(set_cr4, read_cr4() & ~(1ul << 18), 0).vector < 0 && probe(restore, (u64)image, 3).vector == UD);
    print("extended state is saved, restored and checked\n");
    return 0;
}
