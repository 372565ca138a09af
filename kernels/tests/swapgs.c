// SWAPGS exchanges the base of GS with its MSR, and only ring 0 may.
#include "user.h"

extern u8 swaps[];
asm("swaps: swapgs");

int main(void) {
    u64 own = rdmsr(MSR_GS_BASE), other = 0x123456789000;
    wrmsr(MSR_KERNEL_GS, other);
    asm volatile("swapgs" ::: "memory");
    u64 swapped = rdmsr(MSR_GS_BASE), kept = rdmsr(MSR_KERNEL_GS);
    asm volatile("swapgs" ::: "memory");
    CHECK(swapped == other && kept == own && rdmsr(MSR_GS_BASE) == own);
    CHECK(user_probe(swaps).vector == GP);
    print("swapgs swaps\n");
    return 0;
}
