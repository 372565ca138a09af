// The 8254's channel 0 interrupts through the 8259 pair and LINT0, at the programmed rate; masked it does not.
#include "../lib/check.h"

static volatile u32 ticks;

static void tick(struct trapframe *frame) {
    ticks++;
    outb(0x20, 0x20);                                           // OCW2: non-specific EOI; no EOI to the local APIC
}

static void pic_init(void) {                                    // 8259A, initialisation command words
    static const u8 words[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x30 }, { 0xa1, 0x38 },
                                   { 0x21, 4 }, { 0xa1, 2 }, { 0x21, 1 }, { 0xa1, 1 }, { 0x21, 0xfe }, { 0xa1, 0xff } };
    for (u32 i = 0; i < sizeof words / sizeof *words; i++)
        outb(words[i][0], words[i][1]);
}

int main(void) {
    trap_handler(0x30, tick);
    pic_init();
    lapic_write(APIC_LVT_LINT0, 0x700);                         // ExtINT
    outb(0x43, 0x34);                                           // channel 0, low then high byte, rate generator
    outb(0x40, 1193 & 0xff);
    outb(0x40, 1193 >> 8);                                      // 1.19318 MHz / 1193: 1 kHz
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
