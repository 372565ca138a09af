// The local APIC, by its memory page (xAPIC) or its MSRs (x2APIC). SDM vol. 3A, chapter 12.
#include "kernel.h"

#define SVR_ENABLE      0x100
#define ICR_PENDING     0x1000                  // delivery status
#define DIVIDE_BY_1     0x0b
#define MSR_X2APIC      0x800                   // register offset / 16 is added

static volatile u32 *page;                      // of the core that reads it
static bool x2apic;

u32 lapic_read(u32 reg) { return x2apic ? rdmsr(MSR_X2APIC + reg / 16) : page[reg / 4]; }

void lapic_write(u32 reg, u32 value) {
    if (x2apic)
        wrmsr(MSR_X2APIC + reg / 16, value);
    else
        page[reg / 4] = value;
}

// Enable this core's local APIC; external interrupts stay masked until somebody asks for them.
void lapic_init(void) {
    u64 base = rdmsr(MSR_APIC_BASE);
    page = direct(base & 0xffffff000);
    if (x2apic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
    lapic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    lapic_write(APIC_LVT_TIMER, LVT_MASKED);
    lapic_write(APIC_LVT_LINT0, LVT_MASKED);
    lapic_write(APIC_TPR, 0);
    this_core()->apic_id = lapic_id();
}

void lapic_use_x2apic(void) {
    x2apic = true;
    lapic_init();
}

u32 lapic_id(void) { return x2apic ? lapic_read(APIC_ID) : lapic_read(APIC_ID) >> 24; }

void lapic_eoi(void) { lapic_write(APIC_EOI, 0); }

// Send a message to an APIC ID (or to a logical destination, or by shorthand). An xAPIC that is still
// sending would drop it: wait first. Interrupts are off, as a handler that sends must not come between
// the two halves.
void lapic_send(u32 destination, u32 icr) {
    if (x2apic) {
        asm volatile("mfence; lfence" ::: "memory");    // this WRMSR does not wait for earlier stores (12.12.3)
        return wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)destination << 32 | icr);
    }
    u64 flags = read_flags();
    cli();
    while (lapic_read(APIC_ICR) & ICR_PENDING)
        pause();
    lapic_write(APIC_ICR_HIGH, destination << 24);
    lapic_write(APIC_ICR, icr);
    if (flags & FLAGS_IF)
        sti();
}

void lapic_timer(u32 mode_and_vector, u32 count) {
    lapic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    lapic_write(APIC_LVT_TIMER, mode_and_vector);
    lapic_write(APIC_TIMER_INITIAL, count);
}

void delay_us(u64 us) {
    u64 end = rdtsc() + us * (tsc_hz / 1000000);
    while (rdtsc() < end)
        pause();
}
