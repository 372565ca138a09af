// The chips that a board has one of, for the DSDT of their owner: timers and PCI, in AML (ACPI 6.4, 20.2).
#include "firmware.h"

#define BYTES32(value) (value) & 0xff, (value) >> 8 & 0xff, (value) >> 16 & 0xff, (value) >> 24
#define EISAID(high, low) 0x0c, 0x41, 0xd0, high, low           // "PNP", and four digits

enum { HPET_SIZE = 0x400, PCI_MEMORY_SIZE = IOAPIC - PCI_MEMORY };

static const uint8_t timers[] = {                               // Scope (\_SB) { Device (HPET) { ... } }
    0x10, 0x2e, '\\', '_', 'S', 'B', '_',
    0x5b, 0x82, 0x26, 'H', 'P', 'E', 'T',
    0x08, '_', 'H', 'I', 'D', EISAID(0x01, 0x03),
    0x08, '_', 'C', 'R', 'S', 0x11, 0x11, 0x0a, 0x0e,           // ResourceTemplate ()
    0x86, 0x09, 0x00, 0x00, BYTES32(HPET), BYTES32(HPET_SIZE),  // Memory32Fixed (ReadOnly, ...)
    0x79, 0x00,
};

// Where configuration is in memory: not for anybody else to use, says a device of the board's own.
static const uint8_t ecam[] = {                                 // Scope (\_SB) { Device (ECAM) { ... } }
    0x10, 0x2e, '\\', '_', 'S', 'B', '_',
    0x5b, 0x82, 0x26, 'E', 'C', 'A', 'M',
    0x08, '_', 'H', 'I', 'D', EISAID(0x0c, 0x02),
    0x08, '_', 'C', 'R', 'S', 0x11, 0x11, 0x0a, 0x0e,           // ResourceTemplate ()
    0x86, 0x09, 0x00, 0x01, BYTES32(ECAM), BYTES32(ECAM_BUS),   // Memory32Fixed (ReadWrite, ...)
    0x79, 0x00,
};

// What the host bridge produces: ranges that begin and end where they say (0x0c).
static const uint8_t host_bridge[] = {                          // Scope (\_SB) { Device (PCI0) { ... } }
    0x10, 0x4d, 0x07, '\\', '_', 'S', 'B', '_',
    0x5b, 0x82, 0x44, 0x07, 'P', 'C', 'I', '0',
    0x08, '_', 'H', 'I', 'D', EISAID(0x0a, 0x03),
    0x08, '_', 'B', 'B', 'N', 0x00,
    0x08, '_', 'C', 'R', 'S', 0x11, 0x48, 0x05, 0x0a, 0x54,     // ResourceTemplate ()
    0x88, 0x0d, 0, 0x02, 0x0c, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,              // WordBusNumber: 0
    0x47, 0x01, 0xf8, 0x0c, 0xf8, 0x0c, 0x01, 0x08,                             // IO: 0xcf8-0xcff, its own
    0x88, 0x0d, 0, 0x01, 0x0c, 0x03, 0, 0, 0, 0, 0xf7, 0x0c, 0, 0, 0xf8, 0x0c,  // WordIO: 0-0xcf7
    0x88, 0x0d, 0, 0x01, 0x0c, 0x03, 0, 0, 0, 0x0d, 0xff, 0xff, 0, 0, 0, 0xf3,  // WordIO: 0xd00-0xffff
    0x87, 0x17, 0, 0x00, 0x0c, 0x01, BYTES32(0), BYTES32(PCI_MEMORY),           // DWordMemory
    BYTES32(IOAPIC - 1), BYTES32(0), BYTES32(PCI_MEMORY_SIZE),
    0x79, 0x00,
};

static void put(struct boot *boot, const uint8_t *aml, uint32_t size) {
    memcpy(area_take(boot, size, 1), aml, size);
}

void chipset_write(struct boot *boot) {
    put(boot, host_bridge, sizeof(host_bridge));
    put(boot, ecam, sizeof(ecam));
    put(boot, timers, sizeof(timers));
}
