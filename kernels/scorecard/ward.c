// A kernel that others attack. It keeps its field, sleeps, and looks at the clock. Ends with what came to it.
#include "field.h"

#define VECTOR_TICK 0x40
#define PERIOD_US   50
#define TICKS       60

enum { STRAY = 1, GOT_NMI = 2, WRONG_TIME = 4 };        // bits of the exit code

static u32 ticks, came;

static void on_tick(struct trapframe *frame) {
    ticks++;
    lapic_eoi();
}

static void on_stray(struct trapframe *frame) {
    came |= STRAY;
    lapic_eoi();
}

static void on_nmi(struct trapframe *frame) { came |= GOT_NMI; }

int main(void) {
    u64 field = physical((void *)(KERNBASE + IMAGE)) + FIELD, us = tsc_hz / 1000000;
    for (u64 i = 0; i < FIELD_PAGES * PAGE_WORDS; i++)
        ((u64 *)direct(field))[i] = field_word(field, i);
    for (u32 vector = 32; vector < VECTOR_SPURIOUS; vector++)
        trap_handler(vector, vector == VECTOR_TICK ? on_tick : on_stray);
    trap_handler(NMI, on_nmi);
    lapic_timer(LVT_PERIODIC | VECTOR_TICK, PERIOD_US * us);
    u64 start = rdtsc();
    while (ticks < TICKS)
        wait_interrupt();
    u64 took = (rdtsc() - start) / us;
    if (took < TICKS * PERIOD_US - 1 || took > TICKS * PERIOD_US + PERIOD_US)
        came |= WRONG_TIME;
    return came;
}
