// The 8254 through pin 2 of the I/O APIC: edge, fixed, to a core of choice. 82093AA, 3.2.4.
#include "../lib/check.h"

static volatile u32 ticks[NCPU];

static void tick(struct trapframe *frame) {
    ticks[this_core()->number]++;
    lapic_eoi();
}

static void nothing(void *unused) {}

int main(void) {
    CHECK(ioapic_address && (ioapic_read(1) >> 16 & 0xff) == 23);       // 24 pins
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], nothing, NULL));
    trap_handler(0x50, tick);
    outb(0x43, 0x34);
    outb(0x40, 0xff);
    outb(0x40, 0x03);
    for (u32 n = 0; n < 2; n++) {
        ioapic_route(2, madt_apic_id[n], 0x50);                 // where the MADT's override has IRQ 0
        while (ticks[n] < 5)
            n ? pause() : wait_interrupt();
        ioapic_mask(2);
    }
    take_interrupts();
    u32 sum = ticks[0] + ticks[1];
    delay_us(5000);
    CHECK(ticks[0] + ticks[1] == sum && (ioapic_read(0x14) & 0x10000));
    print("ticks went to core 0 %u times, then to core 1 %u times\n", ticks[0], ticks[1]);
    return 0;
}
