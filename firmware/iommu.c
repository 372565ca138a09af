// The IOMMU: units that the firmware has are set up with the tables that the machine has put into memory, and
// the others are told of in their owners' DMAR. Intel VT-d 3.3, 8 and 10.4.
#include "firmware.h"
#include "vtd.h"

static volatile uint32_t *at(uint32_t unit, uint32_t reg) {
    return (volatile uint32_t *)(IOMMU + unit * IOMMU_STRIDE + reg);
}

static void write64(uint32_t unit, uint32_t reg, uint64_t value) {
    *at(unit, reg) = (uint32_t)value;
    *at(unit, reg + 4) = (uint32_t)(value >> 32);
}

static void command(uint32_t unit, uint32_t bits) {
    *at(unit, GCMD_REG) = (*at(unit, GSTS_REG) & KEPT) | bits;
}

static void unit_start(uint32_t unit, const struct partition_iommu *iommu) {
    write64(unit, RTADDR_REG, iommu->root);
    command(unit, SRTP);
    if (iommu->flags & IOMMU_REMAPS) {
        write64(unit, IRTA_REG, iommu->interrupts);
        command(unit, SIRTP);
        command(unit, IRE);
    }
    command(unit, TE);
}

void iommu_start(void) {
    for (uint32_t i = 0; i < table()->iommus.count; i++)
        if (iommu_at(i)->root)
            unit_start(i, iommu_at(i));
}

static void scope_write(struct boot *boot, uint32_t ioapic) {
    struct acpi_scope *scope = area_take(boot, sizeof(*scope), 1);
    scope->type = SCOPE_IOAPIC;
    scope->length = sizeof(*scope);
    scope->enumeration_id = (uint8_t)ioapic;
    scope->bus = IOAPIC_BUS;
    scope->device = IOAPIC_DEVICE;
}

static void drhd_write(struct boot *boot, uint32_t unit) {
    struct acpi_drhd *drhd = area_take(boot, sizeof(*drhd), 1);
    drhd->flags = DRHD_ALL;
    drhd->segment = (uint16_t)unit;
    drhd->base = IOMMU + unit * IOMMU_STRIDE;
    if (iommu_at(unit)->ioapic != NOBODY)
        scope_write(boot, iommu_at(unit)->ioapic);
    drhd->length = (uint16_t)(boot->next - (uint8_t *)drhd);
}

bool iommu_owned(uint32_t kernel) {
    for (uint32_t i = 0; i < table()->iommus.count; i++)
        if (iommu_at(i)->owner == kernel)
            return true;
    return false;
}

uint32_t dmar_write(struct boot *boot) {
    struct acpi_dmar *dmar = area_take(boot, sizeof(*dmar), 16);
    dmar->address_width = DMAR_WIDTH;
    for (uint32_t i = 0; i < table()->iommus.count; i++)
        if (iommu_at(i)->owner == boot->id) {
            drhd_write(boot, i);
            dmar->flags |= iommu_at(i)->flags & IOMMU_REMAPS ? DMAR_REMAPS : 0;
        }
    acpi_seal(&dmar->header, "DMAR", (uint32_t)(boot->next - (uint8_t *)dmar), 1);
    return (uint32_t)dmar;
}
