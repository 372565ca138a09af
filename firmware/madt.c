// MADT: the kernel's cores, under the APIC IDs that they really have, and its I/O APIC. ACPI 6.4, 5.2.12.
//
// Of the board's other cores it says nothing. The boot core comes first; a core's UID is its place in the
// list.
#include "firmware.h"

#define ENTRY(boot, kind, name) ((struct kind *)entry(boot, name, sizeof(struct kind)))

static struct acpi_madt_entry *entry(struct boot *boot, uint8_t type, uint8_t length) {
    struct acpi_madt_entry *entry = area_take(boot, length, 1);
    entry->type = type;
    entry->length = length;
    return entry;
}

static void core_entry(struct boot *boot, uint32_t apic_id, uint32_t uid) {
    if (apic_id >= MADT_FIRST_X2APIC) {
        struct acpi_madt_x2apic *core = ENTRY(boot, acpi_madt_x2apic, MADT_TYPE_X2APIC);
        core->apic_id = apic_id;
        core->uid = uid;
        core->flags = MADT_ENABLED;
    } else {
        struct acpi_madt_lapic *core = ENTRY(boot, acpi_madt_lapic, MADT_TYPE_LAPIC);
        core->apic_id = apic_id;
        core->uid = uid;
        core->flags = MADT_ENABLED;
    }
}

static void core_entries(struct boot *boot) {
    uint32_t uid = 0;
    core_entry(boot, core_at(boot->kernel->boot_core)->apic_id, uid++);
    for (uint32_t i = 0; i < table()->cores.count; i++)
        if (core_at(i)->kernel == boot->id && i != boot->kernel->boot_core)
            core_entry(boot, core_at(i)->apic_id, uid++);
}

static void nmi_entries(struct boot *boot) {
    struct acpi_madt_lapic_nmi *lapic = ENTRY(boot, acpi_madt_lapic_nmi, MADT_TYPE_LAPIC_NMI);
    lapic->uid = MADT_ALL_LAPICS;
    lapic->lint = 1;
    struct acpi_madt_x2apic_nmi *x2apic = ENTRY(boot, acpi_madt_x2apic_nmi, MADT_TYPE_X2APIC_NMI);
    x2apic->uid = MADT_ALL_X2APICS;
    x2apic->lint = 1;
}

// Whoever has the I/O APIC sees its first pin as interrupt 0: it knows of no other.
static void ioapic_entry(struct boot *boot) {
    struct acpi_madt_ioapic *ioapic = ENTRY(boot, acpi_madt_ioapic, MADT_TYPE_IOAPIC);
    ioapic->id = boot->kernel->ioapic;
    ioapic->address = IOAPIC + boot->kernel->ioapic * IOAPIC_STRIDE;
}

static void override_entry(struct boot *boot, uint8_t source, uint32_t gsi, uint16_t flags) {
    struct acpi_madt_override *override = ENTRY(boot, acpi_madt_override, MADT_TYPE_OVERRIDE);
    override->source = source;
    override->gsi = gsi;
    override->flags = flags;
}

uint32_t madt_write(struct boot *boot) {
    bool legacy = boot->kernel->flags & KERNEL_LEGACY;
    struct acpi_madt *madt = area_take(boot, sizeof(*madt), 16);
    madt->lapic = LAPIC;
    madt->flags = legacy ? MADT_PCAT_COMPAT : 0;
    core_entries(boot);
    nmi_entries(boot);
    if (boot->kernel->ioapic != NOBODY) {
        ioapic_entry(boot);
        override_entry(boot, ACPI_SCI_IRQ, ACPI_SCI_IRQ, MADT_LEVEL_HIGH);
        if (legacy)
            override_entry(boot, 0, MADT_PIT_PIN, 0);
    }
    acpi_seal(&madt->header, "APIC", (uint32_t)(boot->next - (uint8_t *)madt), ACPI_MADT_REVISION);
    return (uint32_t)madt;
}
