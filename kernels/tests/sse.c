// Each core has its own SSE registers, whoever runs in between.
#include "../lib/check.h"

static volatile u32 done;

static void churn(void *seed) {                                 // XMM0..3 hold the core's numbers for a long time
    write_cr0((read_cr0() & ~4ull) | 2);                        // EM off, MP on
    write_cr4(read_cr4() | 0x600);                              // OSFXSR, OSXMMEXCPT
    u64 start = (u64)seed, sum = 0, low = 0;
    asm volatile("movq %0, %%xmm0; movq %1, %%xmm1; pxor %%xmm2, %%xmm2" :: "r"(start), "r"(1ul));
    for (u64 i = 0; i < 200000; i++) {
        asm volatile("paddq %xmm1, %xmm0; paddq %xmm0, %xmm2");
        sum += start + i + 1;
    }
    asm volatile("movq %%xmm2, %0" : "=r"(low));
    CHECK(low == sum);
    fetch_add(&done, 1);
}

int main(void) {
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], churn, (void *)1000000));
    churn((void *)7);
    while (load_acquire(&done) != 2)
        pause();
    print("two cores, two register files\n");
    return 0;
}
