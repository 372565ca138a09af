// Two NMIs at about the same time are two, whichever way they interleave: one is served and one waits.
// SDM vol. 3A, 7.7.1.
#include "../lib/check.h"

#define ROUNDS  20000
#define FLUSH   0x50

static volatile u32 nmis, flushed, asked, answered, over;
static u32 boss;

static void on_nmi(struct trapframe *frame) { nmis++; }
static void on_flush(struct trapframe *frame) { flushed = 1; lapic_eoi(); }

static void second(void *unused) {
    for (u32 round = 1; !over; round++) {
        while (asked != round && !over)
            pause();
        if (over)
            return;
        lapic_send(boss, ICR_NMI);
        lapic_ipi(boss, FLUSH);                                 // behind it: when this is there, the NMI was
        answered = round;
    }
}

int main(void) {
    trap_handler(NMI, on_nmi);
    trap_handler(FLUSH, on_flush);
    boss = lapic_id();
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], second, NULL));
    sti();
    for (u32 round = 1; round <= ROUNDS; round++) {
        flushed = nmis = 0;
        asked = round;
        for (u32 spin = round & 63; spin; spin--)
            asm volatile("" ::: "memory");
        lapic_send(boss, ICR_NMI);
        while (!flushed || answered != round)
            pause();
        if (nmis != 2)
            print("round %u: %u NMIs\n", round, nmis);
        CHECK(nmis == 2);
    }
    over = 1;
    print("%u pairs of NMIs\n", ROUNDS);
    return 0;
}
