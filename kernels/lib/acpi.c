// What this kernel owns, by ACPI 6.4: RSDP, XSDT (or RSDT), MADT.
#include "kernel.h"

struct rsdp {                                   // 5.2.5.3
    char signature[8];
    u8 checksum;
    char oem[6];
    u8 revision;
    u32 rsdt, length;
    u64 xsdt;
} __attribute__((packed));

struct madt {                                   // 5.2.12
    struct acpi_header header;
    u32 lapic_address, flags;
    u8 entries[];
} __attribute__((packed));

u32 madt_cores, madt_apic_id[NCPU];
u64 ioapic_address;
static const struct acpi_header *root;
static u32 pointer_size;                        // 8 in an XSDT, 4 in an RSDT

// The table with this four-letter signature.
const void *acpi_table(const char *signature) {
    if (!root)
        return NULL;
    const u8 *pointers = (const u8 *)(root + 1);
    for (u32 i = 0; i + pointer_size <= root->length - sizeof *root; i += pointer_size) {
        u64 address = 0;
        memcpy(&address, pointers + i, pointer_size);
        const struct acpi_header *table = direct(address);
        if (memcmp(table->signature, signature, 4) == 0)
            return table;
    }
    return NULL;
}

static void add_core(u32 apic_id, u32 flags) {
    if ((flags & 1) && madt_cores < NCPU)
        madt_apic_id[madt_cores++] = apic_id;
}

static u32 word(const u8 *entry, u32 offset) {
    u32 value;
    memcpy(&value, entry + offset, 4);
    return value;
}

static void read_madt(const struct madt *madt) {
    const u8 *end = (const u8 *)madt + madt->header.length;
    for (const u8 *entry = madt->entries; entry < end; entry += entry[1]) {
        if (entry[0] == 0)                      // local APIC, 5.2.12.2
            add_core(entry[3], word(entry, 4));
        else if (entry[0] == 9)                 // local x2APIC, 5.2.12.12
            add_core(word(entry, 4), word(entry, 8));
        else if (entry[0] == 1)                 // I/O APIC, 5.2.12.3
            ioapic_address = word(entry, 4);
    }
}

// Find the tables from the RSDP at a physical address; 0 means there are none.
void acpi_init(u64 rsdp_address) {
    if (!rsdp_address)
        return;
    const struct rsdp *rsdp = direct(rsdp_address);
    bool extended = rsdp->revision >= 2 && rsdp->xsdt;
    pointer_size = extended ? 8 : 4;
    root = direct(extended ? rsdp->xsdt : rsdp->rsdt);
    const struct madt *madt = acpi_table("APIC");
    if (madt)
        read_madt(madt);
}
