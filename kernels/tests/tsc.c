// The TSC never goes back, on one core or between two, and runs on while a core sleeps.
#include "../lib/check.h"

static volatile u64 board;
static volatile bool stop;

static void relay(void *unused) {
    while (!stop) {
        u64 there = board, here = rdtsc();
        CHECK(here >= there);
        board = here;
    }
}

static void awake(struct trapframe *frame) { lapic_eoi(); }

int main(void) {
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], relay, NULL));
    for (u32 i = 0; i < 100000; i++) {
        u64 there = board, here = rdtsc();
        CHECK(here >= there);
        board = here;
    }
    stop = true;
    trap_handler(0x50, awake);
    u64 before = rdtsc();
    lapic_timer(0x50, 1000000);
    wait_interrupt();
    print("slept %lu\n", rdtsc() - before);
    CHECK(rdtsc() - before >= 1000000);
    return 0;
}
