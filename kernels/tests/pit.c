// The 8254's channel 0 interrupts through the 8259 pair and LINT0, at the programmed rate; masked it does not.
#include "../lib/check.h"
#include "../devices/legacy.h"

static volatile u32 ticks;

static void tick(struct trapframe *frame) {
    ticks++;
    outb(0x20, 0x20);                                           // OCW2: non-specific EOI; no EOI to the local APIC
}

int main(void) {
    trap_handler(PIC_VECTORS, tick);
    pic_init();
    lapic_write(APIC_LVT_LINT0, 0x700);                         // ExtINT
    pit_start(1193);                                            // 1 kHz
    wait_interrupt();
    u64 start = rdtsc();
    while (ticks < 11)
        wait_interrupt();
    u64 us = (rdtsc() - start) / (tsc_hz / 1000000);
    outb(0x21, 0xff);
    sti();
    delay_us(5000);
    cli();
    print("ten periods took %lu us\n", us);
    CHECK(ticks == 11);
    CHECK(option("loose") || (us >= 9900 && us <= 10100));
    return 0;
}
