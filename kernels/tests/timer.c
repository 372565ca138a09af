// The local APIC timer: one-shot once, periodic for ever, TSC-deadline never early; another mode on the way changes
// nothing but what comes at the end. SDM vol. 3A, 12.5.4.
#include "../lib/check.h"

static volatile u32 ticks;
static volatile u64 last;

static void tick(struct trapframe *frame) {
    ticks++;
    last = rdtsc();
    lapic_eoi();
}

#define COUNT  1000000
static u32 current(void) { return lapic_read(APIC_TIMER_CURRENT); }

static void wait_below(u32 count) {
    while (current() > count)
        pause();
}

static void change_of_mode(void) {
    u32 one_shot = LVT_MASKED | 0x50, periodic = one_shot | LVT_PERIODIC;
    lapic_timer(one_shot, COUNT);
    wait_below(COUNT / 2);
    lapic_write(APIC_LVT_TIMER, periodic);                      // neither stops nor starts it again
    CHECK(current() && current() <= COUNT / 2 && lapic_read(APIC_TIMER_INITIAL) == COUNT);
    while (current() <= COUNT / 2)
        pause();
    CHECK(current() > COUNT / 2);
    wait_below(COUNT / 2);
    lapic_write(APIC_LVT_TIMER, one_shot);
    CHECK(current() && current() <= COUNT / 2);
    wait_below(0);
    lapic_write(APIC_LVT_TIMER, periodic);                      // over is over
    delay_us(10);
    CHECK(!current() && lapic_read(APIC_TIMER_INITIAL) == COUNT);
    lapic_write(APIC_TIMER_DIVIDE, 0x0b);
    lapic_write(APIC_LVT_TIMER, LVT_MASKED | 0x50);
    lapic_write(APIC_TIMER_INITIAL, COUNT);
    lapic_write(APIC_TIMER_DIVIDE, 0x3);                        // by 16 from here on
    u32 before = current();
    delay_us(100);
    CHECK(before - current() < before / 8 && before != current());
    lapic_timer(LVT_MASKED, 0);
    CHECK(!current());
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
    change_of_mode();
    print("%u ticks\n", ticks);
    return 0;
}
