// INIT finds a core in whatever state it is, and a SIPI starts it from there; a SIPI alone does nothing to a core that
// does not wait for one. SDM vol. 3A, 10.4.4.1 and 12.6.1.
#include "../lib/check.h"

static volatile u64 turns, starts, nmis, in_nmi;
static volatile u64 line[8] __attribute__((aligned(64)));
static u32 other;

static void running(void *unused) {                             // with interrupts off
    starts++;
    for (;;) {
        turns++;
        pause();
    }
}

static void halted(void *unused) {
    starts++;
    for (;;)
        asm volatile("cli; hlt");
}

static void halted_open(void *unused) {
    starts++;
    for (;;)
        asm volatile("sti; hlt");
}

static void waiting(void *unused) {
    starts++;
    for (;;) {
        monitor(line);
        mwait();
    }
}

static void on_nmi(struct trapframe *frame) {
    nmis++;
    in_nmi = nmis == 1;
    while (in_nmi)
        pause();
}

static bool moves(void) {
    u64 before = turns;
    delay_us(20);
    return turns != before;
}

static void again(const char *state, void (*run)(void *)) {
    u64 before = starts;
    CHECK(smp_start(other, run, NULL));
    delay_us(50);
    print("INIT and SIPI to a core that %s\n", state);
    CHECK(starts == before + 1);
}

int main(void) {
    CHECK(madt_cores == 2);
    other = madt_apic_id[1];
    trap_handler(NMI, on_nmi);
    again("waits for a SIPI", running);
    CHECK(moves());
    lapic_send(other, ICR_SIPI | low_page >> 12);               // not now
    delay_us(20);
    CHECK(moves() && starts == 1);
    again("runs", halted);
    CHECK(!moves());
    lapic_send(other, ICR_SIPI | low_page >> 12);
    delay_us(20);
    CHECK(starts == 2);
    again("halts, interrupts off", halted_open);
    again("halts, interrupts on", waiting);
    again("is in MWAIT", running);
    lapic_send(other, ICR_INIT);
    delay_us(20);
    CHECK(!moves());
    lapic_send(other, ICR_NMI);                                 // waits, or is lost; wakes nobody
    delay_us(20);
    CHECK(nmis == 0 && !moves());
    lapic_send(other, ICR_INIT);
    again("has had INIT twice", running);
    nmis = 0;
    lapic_send(other, ICR_NMI);
    delay_us(20);
    CHECK(in_nmi && nmis == 1 && !moves());
    again("is in its NMI handler", running);
    in_nmi = 0;
    lapic_send(other, ICR_NMI);                                 // not held back by the first
    delay_us(20);
    CHECK(nmis == 2 && moves());
    print("INIT takes a core from anywhere\n");
    return 0;
}
