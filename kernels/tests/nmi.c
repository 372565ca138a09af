// An NMI reaches a core that has interrupts off; the next one waits for its IRET. SDM vol. 3A, 7.7.1.
#include "../lib/check.h"

static volatile u32 depth, deepest, count;

static void on_nmi(struct trapframe *frame) {
    depth++;
    deepest = depth > deepest ? depth : deepest;
    for (u64 end = rdtsc() + tsc_hz / 10000; rdtsc() < end; )   // 100 us: the second arrives meanwhile
        pause();
    count++;
    depth--;
}

static void spin(void *unused) {                                // interrupts are off, and stay off
    for (;;)
        pause();
}

int main(void) {
    trap_handler(NMI, on_nmi);
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], spin, NULL));
    lapic_send(madt_apic_id[1], ICR_NMI);
    while (!depth)
        pause();
    lapic_send(madt_apic_id[1], ICR_NMI);
    for (u64 end = rdtsc() + tsc_hz / 100; count < 2 && rdtsc() < end; )
        pause();
    CHECK(count == 2 && deepest == 1);
    print("two NMIs, one after the other\n");
    return 0;
}
