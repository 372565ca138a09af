// A core that sleeps in MWAIT wakes when another core writes the line it monitors.
#include "../lib/check.h"

static volatile u64 mailbox[8] __attribute__((aligned(64)));
static volatile u64 answer;

static void park(void *unused) {
    while (!mailbox[0]) {
        monitor(mailbox);
        if (!mailbox[0])
            mwait();
    }
    answer = mailbox[0] + 1;
}

int main(void) {
    CHECK(cpuid(1, 0).ecx >> 3 & 1);                            // CPUID.1:ECX.MONITOR
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], park, NULL));
    delay_us(100);
    CHECK(answer == 0);
    mailbox[0] = 41;
    delay_us(100);
    CHECK(answer == 42);
    print("the parked core woke\n");
    return 0;
}
