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
enum { ECAM_BASE = sizeof(ecam) - 10 };

// INTA# of device n is pin 16 + n % 4: Package () {n << 16 | 0xffff, 0, 0, pin}.
#define ROUTE(n) 0x12, 0x0b, 0x04, 0x0c, 0xff, 0xff, (n), 0x00, 0x00, 0x00, 0x0a, 16 + (n) % 4
#define ROUTES(n) ROUTE(n), ROUTE(n + 1), ROUTE(n + 2), ROUTE(n + 3)

// A host bridge: its name, segment and interrupts. Lengths are of the scope, the device and the resources.
#define PCI0(scope, device)                                     /* Scope (\_SB) { Device (PCI0) { ... } } */ \
    0x10, scope, '\\', '_', 'S', 'B', '_', 0x5b, 0x82, device, 'P', 'C', 'I', '0', \
    0x08, '_', 'H', 'I', 'D', EISAID(0x0a, 0x03), \
    0x08, '_', 'B', 'B', 'N', 0x00, \
    0x08, '_', 'S', 'E', 'G', 0x0a, 0x00, \
    0x08, '_', 'P', 'R', 'T', 0x12, 0x43, 0x18, 32, \
    ROUTES(0), ROUTES(4), ROUTES(8), ROUTES(12), ROUTES(16), ROUTES(20), ROUTES(24), ROUTES(28)
#define LENGTH(value) 0x40 | ((value) & 0xf), (value) >> 4
#define BUS_0 0x88, 0x0d, 0, 0x02, 0x0c, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0     /* WordBusNumber */
#define WINDOW 0x87, 0x17, 0, 0x00, 0x0c, 0x01, BYTES32(0), BYTES32(PCI_MEMORY), \
    BYTES32(PCI_MEMORY + PCI_WINDOW - 1), BYTES32(0), BYTES32(PCI_WINDOW), 0x79, 0x00   /* DWordMemory */
enum { SEGMENT = 38, WINDOW_MIN = 18, WINDOW_MAX = 14 };        // the latter from the end

// What it produces: ranges that begin and end where they say (0x0c). Ports are segment 0's.
static const uint8_t with_ports[] = {
    PCI0(LENGTH(525), LENGTH(516)),
    0x08, '_', 'C', 'R', 'S', 0x11, LENGTH(88), 0x0a, 84, BUS_0,
    0x47, 0x01, 0xf8, 0x0c, 0xf8, 0x0c, 0x01, 0x08,                             // IO: 0xcf8-0xcff, its own
    0x88, 0x0d, 0, 0x01, 0x0c, 0x03, 0, 0, 0, 0, 0xf7, 0x0c, 0, 0, 0xf8, 0x0c,  // WordIO: 0-0xcf7
    0x88, 0x0d, 0, 0x01, 0x0c, 0x03, 0, 0, 0, 0x0d, 0xff, 0xff, 0, 0, 0, 0xf3,  // WordIO: 0xd00-0xffff
    WINDOW,
};
static const uint8_t without_ports[] = {
    PCI0(LENGTH(485), LENGTH(476)),
    0x08, '_', 'C', 'R', 'S', 0x11, LENGTH(48), 0x0a, 44, BUS_0, WINDOW,
};

static uint8_t *put(struct boot *boot, const uint8_t *aml, uint32_t size) {
    return memcpy(area_take(boot, size, 1), aml, size);
}

static void add(uint8_t *to, uint32_t offset) {
    uint32_t value;
    memcpy(&value, to, sizeof(value));
    value += offset;
    memcpy(to, &value, sizeof(value));
}

static void bridge_write(struct boot *boot, uint32_t segment, const uint8_t *aml, uint32_t size) {
    uint8_t *bridge = put(boot, aml, size);
    bridge[SEGMENT] = (uint8_t)segment;
    add(bridge + size - WINDOW_MIN, segment * PCI_WINDOW);
    add(bridge + size - WINDOW_MAX, segment * PCI_WINDOW);
    add(put(boot, ecam, sizeof(ecam)) + ECAM_BASE, segment * ECAM_BUS);
}

void chipset_write(struct boot *boot) {
    uint32_t segment = boot->kernel->pci_segment;
    if (segment == 0)
        bridge_write(boot, segment, with_ports, sizeof(with_ports));
    else if (segment != NOBODY)
        bridge_write(boot, segment, without_ports, sizeof(without_ports));
    if (boot->kernel->flags & KERNEL_LEGACY)
        put(boot, timers, sizeof(timers));
}
