// The 82093AA I/O APIC: every pin masked. Intel 290566, 3.0-3.2.
#include "firmware.h"

enum {
    IOREGSEL = 0x00,
    IOWIN = 0x10,
    IOAPICVER = 0x01,           // bits 23:16: the last redirection entry
    IOREDTBL = 0x10,            // two registers an entry
    MASKED = 1 << 16,
};

static volatile uint32_t *at(uint32_t index, uint32_t reg) {
    return (volatile uint32_t *)(IOAPIC + index * IOAPIC_STRIDE + reg);
}

static uint32_t read(uint32_t index, uint32_t reg) {
    *at(index, IOREGSEL) = reg;
    return *at(index, IOWIN);
}

static void write(uint32_t index, uint32_t reg, uint32_t value) {
    *at(index, IOREGSEL) = reg;
    *at(index, IOWIN) = value;
}

void ioapic_mask(uint32_t index) {
    uint32_t last = read(index, IOAPICVER) >> 16 & 0xff;
    for (uint32_t pin = 0; pin <= last; pin++) {
        write(index, IOREDTBL + 2 * pin, MASKED);
        write(index, IOREDTBL + 2 * pin + 1, 0);
    }
}
