// An NMI reaches a core that has interrupts off; the next one waits for its IRET, and is one for all that come until
// then; none comes between STI and what follows. SDM vol. 3A, 7.7.1 and 7.8.3.
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

static volatile u32 received, in_shadow, over;
extern u8 after_sti[];

static void on_many(struct trapframe *frame) {
    in_shadow += frame->rip == (u64)after_sti;
    if (++received == 1)
        for (u32 i = 0; i < 10; i++)
            lapic_send(lapic_id(), ICR_NMI);
}

static void all_at_once(void) {
    trap_handler(NMI, on_many);
    for (u32 round = 0; round < 200; round++) {
        received = 0;
        lapic_send(lapic_id(), ICR_NMI);
        while (received < 2)
            pause();
        CHECK(received == 2);
    }
}

static void on_shadow(struct trapframe *frame) {
    in_shadow += frame->rip == (u64)after_sti;
    received++;
}

static void open_and_close(void *unused) {
    while (!over)
        asm volatile("sti; after_sti: nop; nop; cli" ::: "memory");
}

static void behind_sti(void) {
    trap_handler(NMI, on_shadow);
    received = in_shadow = 0;
    CHECK(smp_start(madt_apic_id[1], open_and_close, NULL));
    for (u32 sent = 1; sent <= 1000; sent++) {
        lapic_send(madt_apic_id[1], ICR_NMI);
        while (received != sent)
            for (u32 i = sent & 15; i; i--)
                pause();
    }
    over = 1;
    CHECK(in_shadow == 0);
}

int main(void) {
    CHECK(madt_cores == 2);
    all_at_once();
    behind_sti();
    trap_handler(NMI, on_nmi);
    CHECK(smp_start(madt_apic_id[1], spin, NULL));
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
