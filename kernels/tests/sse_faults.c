// Reserved bits of MXCSR are #GP, and XSAVE is #NM while CR0.TS is set. SDM vol. 1, 10.2.3, vol. 3A, 2.5.
#include "../lib/check.h"

static u8 image[1024] __attribute__((aligned(64)));

static u64 load(u64 value, u64 unused) { asm volatile("ldmxcsr %0" :: "m"(value)); return 0; }
static u64 save(u64 mask, u64 unused) { asm volatile("xsave64 (%0)" :: "D"(image), "a"(mask), "d"(0) : "memory"); return 0; }

int main(void) {
    write_cr4(read_cr4() | 1 << 18 | 3 << 9);                   // OSXSAVE, OSFXSR, OSXMMEXCPT
    CHECK(probe(load, 0x1f80, 0).vector < 0 && probe(save, 3, 0).vector < 0);
    write_cr0(read_cr0() | 8);                                  // TS
    CHECK(probe(save, 3, 0).vector == NM);
    write_cr0(read_cr0() & ~8ul);
    for (u32 bit = 16; bit < 32; bit++)
        CHECK(probe(load, 1ul << bit, 0).vector == GP);
    print("SSE faults where it should\n");
    return 0;
}
