// Code written as data runs as written, each time anew: no stale instructions. SDM vol. 3A, 10.1.3.
#include "../lib/check.h"

static u8 code[PAGE] __attribute__((aligned(PAGE)));

static u32 run(void) {
    cpuid(0, 0);                                                // serialise
    return ((u32 (*)(void))(IDENTITY + physical(code)))();
}

int main(void) {
    static const u8 routine[] = { 0xb8, 0, 0, 0, 0, 0xc3 };     // mov $0, %eax; ret
    memcpy(code, routine, sizeof routine);
    for (u32 i = 0; i < 1000; i++) {
        *(volatile u32 *)(code + 1) = i;                        // by the image's alias; it runs by another
        CHECK(run() == i);
        *(volatile u32 *)direct(physical(code) + 1) = ~i;       // and by DIRECT
        CHECK(run() == ~i);
    }
    print("2000 versions of one function\n");
    return 0;
}
