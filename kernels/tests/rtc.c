// The MC146818: a date that makes sense, seconds that pass, and the periodic flag at 1024 Hz. Polled.
#include "../lib/check.h"

static u8 cmos(u8 reg) { outb(0x70, reg); return inb(0x71); }

static void cmos_write(u8 reg, u8 value) { outb(0x70, reg); outb(0x71, value); }

static u32 bcd(u8 v) { return (v >> 4) * 10 + (v & 15); }

int main(void) {
    CHECK((cmos(0x0d) & 0x80) && (cmos(0x0b) & 0x06) == 2);     // battery good; BCD, 24 hours
    while (cmos(0x0a) & 0x80)                                   // update in progress
        pause();
    u32 second = bcd(cmos(0)), month = bcd(cmos(8)), day = bcd(cmos(7));
    CHECK(second < 60 && bcd(cmos(2)) < 60 && bcd(cmos(4)) < 24 && day >= 1 && day <= 31 && month >= 1 && month <= 12);
    cmos_write(0x0a, 0x26);                                     // 32768 Hz base, rate 6: 1024 Hz
    cmos_write(0x0b, cmos(0x0b) | 0x40);                        // periodic interrupt; the 8259 masks it
    cmos(0x0c);                                                 // reading clears the flags
    u64 start = rdtsc();
    for (u32 periods = 0; periods < 11; periods += cmos(0x0c) >> 6 & 1)
        if (periods == 0)
            start = rdtsc();
    u64 us = (rdtsc() - start) / (tsc_hz / 1000000);
    print("second %u; ten periods took %lu us\n", second, us);
    CHECK(option("loose") || (us > 9000 && us < 10800));        // 9766 us and a polling loop
    return 0;
}
