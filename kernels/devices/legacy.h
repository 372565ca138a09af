// The chips of the first PCs, as far as claims use them: the 8259A pair and the 8254.
#pragma once
#include "../lib/kernel.h"

#define PIC_VECTORS 0x30                        // of IRQ 0 to 7; IRQ 8 to 15 follow

// Initialise the pair (8259A, initialisation command words), all lines masked but IRQ 0.
static inline void pic_init(void) {
    static const u8 words[][2] = {
        { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, PIC_VECTORS }, { 0xa1, PIC_VECTORS + 8 },
        { 0x21, 4 }, { 0xa1, 2 }, { 0x21, 1 }, { 0xa1, 1 }, { 0x21, 0xfe }, { 0xa1, 0xff },
    };
    for (u32 i = 0; i < sizeof words / sizeof *words; i++)
        outb(words[i][0], words[i][1]);
}

// Channel 0 of the 8254 as a rate generator of 1.19318 MHz / divisor.
static inline void pit_start(u16 divisor) {
    outb(0x43, 0x34);                           // low byte, then high byte
    outb(0x40, divisor & 0xff);
    outb(0x40, divisor >> 8);
}
