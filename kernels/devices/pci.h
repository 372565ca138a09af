// PCI by its memory: the functions on the bus of this kernel's segment, as MCFG has it. PCI 3.0, 6.1; PCI Express
// 2.0, 7.2.2.
#pragma once
#include "../lib/kernel.h"

enum {                                          // bytes into a function's configuration
    PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_BASE = 0x10, PCI_CAPABILITIES = 0x34
};
#define PCI_MEMORY_ON    0x002                  // command
#define PCI_MASTER       0x004
#define PCI_TARGET_ABORT 0x1000                 // status: DMA that was refused
#define PCI_MASTER_ABORT 0x2000                 //   and that nobody answered
#define PCI_CAP_MSI      0x05
#define MSI_ADDRESS      0xfee00000             // SDM vol. 3A, 12.11: bits 19:12 are the APIC ID

struct mcfg { struct acpi_header header; u64 reserved, base; u16 segment; u8 first_bus, last_bus; } __attribute__((packed));

static inline u32 pci_read(u64 function, u32 at) { return *(volatile u32 *)direct(function + at); }
static inline void pci_write(u64 function, u32 at, u32 value) { *(volatile u32 *)direct(function + at) = value; }
static inline u16 pci_read16(u64 function, u32 at) { return *(volatile u16 *)direct(function + at); }
static inline void pci_write16(u64 function, u32 at, u16 value) { *(volatile u16 *)direct(function + at) = value; }
static inline u8 pci_read8(u64 function, u32 at) { return *(volatile u8 *)direct(function + at); }

// Where the configuration of a function with this ID is: of the first one, after as many others; 0 if there is none.
static inline u64 pci_find_after(u16 vendor, u16 device, u32 others) {
    const struct mcfg *mcfg = acpi_table("MCFG");
    for (u32 slot = 0; mcfg && slot < 32; slot++) {
        u64 function = mcfg->base + (slot << 15);
        if (pci_read(function, PCI_ID) == ((u32)device << 16 | vendor) && !others--)
            return function;
    }
    return 0;
}

static inline u64 pci_find(u16 vendor, u16 device) { return pci_find_after(vendor, device, 0); }

// Where a capability is in a function's configuration; 0 if there is none.
static inline u32 pci_capability(u64 function, u8 kind) {
    u32 at = pci_read8(function, PCI_CAPABILITIES);
    while (at && pci_read8(function, at) != kind)
        at = pci_read8(function, at + 1);
    return at;
}

// One message, with 64 bits of address: vector to a core.
static inline void msi_enable(u64 function, u32 apic_id, u8 vector) {
    u32 at = pci_capability(function, PCI_CAP_MSI);
    pci_write(function, at + 4, MSI_ADDRESS | apic_id << 12);
    pci_write(function, at + 8, 0);
    pci_write16(function, at + 12, vector);
    pci_write16(function, at + 2, pci_read16(function, at + 2) | 1);
}
