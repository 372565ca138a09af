// Reserved bits of MXCSR are #GP, by each instruction that loads it, and XSAVE and XRSTOR are #NM while CR0.TS is set.
// SDM vol. 1, 10.2.3, vol. 3A, 2.5.
#include "../lib/check.h"

static u8 image[1024] __attribute__((aligned(64)));

static u64 load(u64 value, u64 unused) { asm volatile("ldmxcsr %0" :: "m"(value)); return 0; }
static u64 save(u64 mask, u64 unused) { asm volatile("xsave64 (%0)" :: "D"(image), "a"(mask), "d"(0) : "memory"); return 0; }

static u64 store(u64 a, u64 b) { u32 value; asm volatile("stmxcsr %0" : "=m"(value)); return value; }
static u64 restore(u64 mask, u64 at) { asm volatile("xrstor64 (%0)" :: "D"(at), "a"(mask), "d"(0) : "memory"); return 0; }
static u64 fxsave(u64 a, u64 b) { asm volatile("fxsave64 (%0)" :: "D"(image) : "memory"); return 0; }
static u64 fxrstor(u64 a, u64 b) { asm volatile("fxrstor64 (%0)" :: "D"(image) : "memory"); return 0; }
static u32 *const mxcsr = (u32 *)(image + 24);

static bool refused(u64 (*attempt)(u64, u64), u64 a, u64 b) {
    struct outcome o = probe(attempt, a, b);
    return o.vector == GP && o.error == 0;
}

int main(void) {
    write_cr4(read_cr4() | 1 << 18 | 3 << 9);                   // OSXSAVE, OSFXSR, OSXMMEXCPT
    CHECK(probe(load, 0x1f80, 0).vector < 0 && probe(save, 3, 0).vector < 0);
    write_cr0(read_cr0() | 8);                                  // TS
    CHECK(probe(save, 3, 0).vector == NM && probe(restore, 3, (u64)image).vector == NM);
    write_cr0(read_cr0() & ~8ul);
    for (u32 bit = 16; bit < 32; bit++)
        CHECK(refused(load, 1ul << bit, 0));
    CHECK(probe(fxsave, 0, 0).vector < 0 && probe(fxrstor, 0, 0).vector < 0);
    *mxcsr = 0xffff;
    CHECK(probe(fxrstor, 0, 0).vector < 0 && probe(store, 0, 0).value == 0xffff);
    *mxcsr = 1 << 16;
    CHECK(refused(fxrstor, 0, 0) && probe(store, 0, 0).value == 0xffff);
    CHECK(probe(restore, 1, (u64)image).vector < 0 && refused(restore, 3, (u64)image));      // x87 alone has none
    CHECK(refused(restore, 3, (u64)image + 8) && probe(restore, 3, 0xfffffff000000000).vector == PF);
    print("SSE faults where it should\n");
    return 0;
}
