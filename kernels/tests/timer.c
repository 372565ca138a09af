// The local APIC timer: one-shot once, periodic for ever, TSC-deadline never early. SDM vol. 3A, 12.5.4.
#include "../lib/check.h"

static volatile u32 ticks;
static volatile u64 last;

static void tick(struct trapframe *frame) {
    ticks++;
    last = rdtsc();
    lapic_eoi();
}

int main(void) {
    trap_handler(0x50, tick);
    lapic_timer(0x50, 100000);
    CHECK(lapic_read(APIC_TIMER_CURRENT) <= 100000 && lapic_read(APIC_TIMER_CURRENT) > 0);
    wait_interrupt();
    CHECK(ticks == 1 && lapic_read(APIC_TIMER_CURRENT) == 0);
    lapic_timer(LVT_PERIODIC | 0x50, 100000);
    while (ticks < 11)
        wait_interrupt();
    lapic_timer(LVT_MASKED, 0);
    delay_us(1000);
    CHECK(ticks == 11);
    if (cpuid(1, 0).ecx >> 24 & 1) {                            // CPUID.1:ECX.TSC_DEADLINE
        lapic_timer(LVT_DEADLINE | 0x50, 0);
        u64 deadline = rdtsc() + 1000000;
        wrmsr(MSR_TSC_DEADLINE, deadline);
        wait_interrupt();
        CHECK(ticks == 12 && last >= deadline && rdmsr(MSR_TSC_DEADLINE) == 0);
        u32 during;                                             // a deadline that is past fires at once
        asm volatile("sti; nop; wrmsr; nop; movl %1, %0; cli"
                     : "=r"(during) : "m"(ticks), "c"(MSR_TSC_DEADLINE), "a"(1), "d"(0) : "memory");
        CHECK(during == 13 && rdmsr(MSR_TSC_DEADLINE) == 0);
        print("TSC deadline: %lu late\n", last - deadline);
    }
    print("%u ticks\n", ticks);
    return 0;
}
