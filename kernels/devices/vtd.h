// A unit of Intel VT-d, as DMAR names it: tables for one function, and its invalidation queue. Revision 3.3.
#pragma once
#include "pci.h"

enum {                                          // registers, 10.4
    VTD_VERSION = 0x00, VTD_COMMAND = 0x18, VTD_STATUS = 0x1c, VTD_ROOT = 0x20, VTD_FAULTS = 0x34, VTD_EVENT = 0x38,
    VTD_EVENT_DATA = 0x3c, VTD_EVENT_ADDRESS = 0x40, VTD_EVENT_HIGH = 0x44, VTD_QUEUE_HEAD = 0x80, VTD_QUEUE_TAIL = 0x88,
    VTD_QUEUE = 0x90, VTD_INTERRUPTS = 0xb8, VTD_RECORD = 0x100
};
#define VTD_TE    (1u << 31)                    // global command and status
#define VTD_SRTP  (1u << 30)
#define VTD_QIE   (1u << 26)
#define VTD_IRE   (1u << 25)
#define VTD_SIRTP (1u << 24)
#define VTD_PENDING 2u                          // fault status: there is a record
#define VTD_FAULT (1u << 31)                    // of a record's last word
#define VTD_READ  (1u << 30)
#define VTD_MASKED (1u << 31)                   // of an event
#define VTD_REMAPPABLE 0x10u                    // of a message's address, 5.1.2.2

struct dmar { struct acpi_header header; u8 width, flags, reserved[10]; } __attribute__((packed));           // 8.1
struct drhd { u16 type, length; u8 flags, size; u16 segment; u64 base; } __attribute__((packed));            // 8.3

struct vtd_tables {                             // each fills a page
    u64 root[512], contexts[512], top[512], directory[512], leaves[512], interrupts[512], queue[512];
} __attribute__((aligned(4096)));

struct vtd { volatile u8 *registers; struct vtd_tables *tables; u32 tail; volatile u32 done; };

static inline u32 vtd_read(struct vtd *vtd, u32 at) { return *(volatile u32 *)(vtd->registers + at); }
static inline void vtd_write(struct vtd *vtd, u32 at, u32 value) { *(volatile u32 *)(vtd->registers + at) = value; }
static inline void vtd_write64(struct vtd *vtd, u32 at, u64 value) { *(volatile u64 *)(vtd->registers + at) = value; }

// The unit for a segment, as DMAR has it; registers NULL if it has none.
static inline void vtd_find(struct vtd *vtd, u16 segment) {
    const struct dmar *dmar = acpi_table("DMAR");
    const u8 *at = (const u8 *)(dmar + 1), *end = (const u8 *)dmar + (dmar ? dmar->header.length : 0);
    vtd->registers = NULL;
    for (const struct drhd *drhd; dmar && at < end; at += drhd->length) {
        drhd = (const struct drhd *)at;
        if (drhd->segment == segment)
            vtd->registers = direct(drhd->base);
    }
}

static inline void vtd_command(struct vtd *vtd, u32 bit) {
    vtd_write(vtd, VTD_COMMAND, (vtd_read(vtd, VTD_STATUS) & 0x96ffffff) | bit);
    while (!(vtd_read(vtd, VTD_STATUS) & bit))
        pause();
}

// Put one descriptor into the queue, and a wait behind it, which is over when its status is there (6.5.2).
static inline void vtd_invalidate(struct vtd *vtd, u64 low, u64 high) {
    u64 descriptors[] = { low, high, 1ul << 32 | 1 << 5 | 5, physical(&vtd->done) };
    vtd->done = 0;
    memcpy((u8 *)vtd->tables->queue + vtd->tail, descriptors, sizeof descriptors);
    vtd->tail = (vtd->tail + sizeof descriptors) % 4096;
    vtd_write(vtd, VTD_QUEUE_TAIL, vtd->tail);
    while (!vtd->done)
        pause();
}

static inline void vtd_forget_context(struct vtd *vtd) { vtd_invalidate(vtd, 1 << 4 | 1, 0); }
static inline void vtd_forget_pages(struct vtd *vtd) { vtd_invalidate(vtd, 1 << 4 | 2, 0); }
static inline void vtd_forget_page(struct vtd *vtd, u64 at) { vtd_invalidate(vtd, 1 << 16 | 3 << 4 | 2, at); }
static inline void vtd_forget_interrupts(struct vtd *vtd) { vtd_invalidate(vtd, 4, 0); }

// Page number n that devices see; rights are 1 to read and 2 to write.
static inline void vtd_map(struct vtd *vtd, u32 n, u64 page, u32 rights) { vtd->tables->leaves[n] = page | rights; }

// Function `source` of bus 0 is in domain 1, which has 512 pages of 4 KiB (9.1, 9.3, 9.8).
static inline void vtd_start(struct vtd *vtd, struct vtd_tables *tables, u32 source) {
    vtd->tables = tables;
    tables->root[0] = physical(tables->contexts) | 1;
    tables->contexts[2 * source] = physical(tables->top) | 1;
    tables->contexts[2 * source + 1] = 1 << 8 | 1;
    tables->top[0] = physical(tables->directory) | 3;
    tables->directory[0] = physical(tables->leaves) | 3;
    vtd_write64(vtd, VTD_QUEUE, physical(tables->queue));
    vtd_command(vtd, VTD_QIE);
    vtd_write64(vtd, VTD_ROOT, physical(tables->root));
    vtd_command(vtd, VTD_SRTP);
    vtd_forget_context(vtd);
    vtd_forget_pages(vtd);
    vtd_command(vtd, VTD_TE);
}

// Interrupt number n, for the function `source` alone, is a vector of a core (9.10).
static inline void vtd_route(struct vtd *vtd, u32 n, u32 source, u32 apic_id, u8 vector) {
    vtd->tables->interrupts[2 * n + 1] = 1 << 18 | source;
    vtd->tables->interrupts[2 * n] = (u64)apic_id << 40 | vector << 16 | 1;
}

static inline void vtd_start_interrupts(struct vtd *vtd) {
    vtd_write64(vtd, VTD_INTERRUPTS, physical(vtd->tables->interrupts) | 7);        // 256 of them
    vtd_command(vtd, VTD_SIRTP);
    vtd_forget_interrupts(vtd);
    vtd_command(vtd, VTD_IRE);
}

// The message of a device that asks for interrupt number n, by its own MSI capability.
static inline void vtd_msi(u64 function, u32 n) {
    u32 at = pci_capability(function, PCI_CAP_MSI);
    pci_write(function, at + 4, MSI_ADDRESS | n << 5 | VTD_REMAPPABLE);
    pci_write(function, at + 8, 0);
    pci_write16(function, at + 12, 0);
    pci_write16(function, at + 2, pci_read16(function, at + 2) | 1);
}
