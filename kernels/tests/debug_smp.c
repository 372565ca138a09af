// Breakpoints are a core's own: one core's stop no other, on code or on data, while both run the same.
#include "../lib/check.h"

#define ROUNDS 200
#define WRITE_DR(n, v)    asm volatile("movq %0, %%dr" #n :: "r"((u64)(v)))

static volatile u32 breaks[NCPU], rounds[NCPU];
static volatile u64 watched;

static void on_debug(struct trapframe *frame) {
    breaks[this_core()->number]++;
    frame->rflags |= 0x10000;                                   // RF: past a code breakpoint
}

static void __attribute__((noinline)) step(void) {
    asm volatile("nop" ::: "memory");
    watched++;
    rounds[this_core()->number]++;
}

static void other(void *unused) {
    while (rounds[this_core()->number] < ROUNDS) {
        step();
        pause();
    }
}

int main(void) {
    trap_handler(DB, on_debug);
    WRITE_DR(0, step);
    WRITE_DR(1, &watched);
    WRITE_DR(7, 0x900405);                                      // L0 on execution, L1 on writes of eight bytes
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], other, NULL));
    while (rounds[1] < ROUNDS) {
        step();
        pause();
    }
    CHECK(breaks[0] == 2 * rounds[0] && breaks[1] == 0);
    print("each core breaks where it asked to\n");
    return 0;
}
