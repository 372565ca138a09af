// The PM timer's overflow raises the SCI: level, on the pin that the FADT names. ACPI 6.4, 4.8.3.1.
#include "../lib/check.h"

#define SCI      9
#define PM1_STS  0x600
#define PM1_EN   0x602
#define PM_TMR   0x608
#define TMR      1

static volatile u32 raised;

static void on_sci(struct trapframe *frame) {
    CHECK(inw(PM1_STS) & TMR);
    outw(PM1_STS, TMR);
    raised++;
    lapic_eoi();
}

int main(void) {
    trap_handler(0x59, on_sci);
    ioapic_route(SCI, lapic_id(), 0x59);
    ioapic_write(0x10 + 2 * SCI, 0x8059);                       // level
    outw(PM1_STS, TMR);
    outw(PM1_EN, TMR);
    u32 before = inl(PM_TMR);
    while (!raised)
        wait_interrupt();
    CHECK(raised == 1 && (inl(PM_TMR) ^ before) >> 23 == 1);    // the highest of its 24 bits has changed
    print("the timer turned over, one SCI\n");
    return 0;
}
