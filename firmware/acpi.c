// The kernel's ACPI tables: the root, the fixed description, what every table begins with. ACPI 6.4, 5.2.
//
// The RSDP is the first thing in the tables area, and so in the page that the kernel sees at BIOS_TABLES: a
// kernel whose boot protocol does not name the RSDP (multiboot) finds it there, as on any PC.
#include "firmware.h"

static const char OEM[] = "MKSIM ", OEM_TABLE[] = "MKSIM   ", CREATOR[] = "MKSM";

static uint8_t checksum(const void *bytes, uint32_t size) {
    const uint8_t *byte = bytes;
    uint8_t sum = 0;
    while (size--)
        sum += *byte++;
    return -sum;
}

void acpi_seal(struct acpi_table *table, const char *signature, uint32_t length, uint8_t revision) {
    memcpy(table->signature, signature, sizeof(table->signature));
    memcpy(table->oem_id, OEM, sizeof(table->oem_id));
    memcpy(table->oem_table_id, OEM_TABLE, sizeof(table->oem_table_id));
    memcpy(table->creator_id, CREATOR, sizeof(table->creator_id));
    table->length = length;
    table->revision = revision;
    table->oem_revision = table->creator_revision = 1;
    table->checksum = checksum(table, length);
}

static void seal_rsdp(struct acpi_rsdp *rsdp, uint32_t rsdt, uint32_t xsdt) {
    memcpy(rsdp->signature, "RSD ", 4);         // in two: who searches the ROM for it must not find a text of ours
    memcpy(rsdp->signature + 4, "PTR ", 4);
    memcpy(rsdp->oem_id, OEM, sizeof(rsdp->oem_id));
    rsdp->revision = ACPI_RSDP_REVISION;
    rsdp->length = sizeof(*rsdp);
    rsdp->rsdt = rsdt;
    rsdp->xsdt = xsdt;
    rsdp->checksum = checksum(rsdp, ACPI_RSDP_CHECKED);
    rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

static uint32_t facs_write(struct boot *boot) {
    struct acpi_facs *facs = area_take(boot, sizeof(*facs), 64);
    memcpy(facs->signature, "FACS", sizeof(facs->signature));
    facs->length = sizeof(*facs);
    facs->version = 2;
    return (uint32_t)facs;
}

struct acpi_gas acpi_port(uint16_t address, uint8_t bytes, uint8_t access) {
    return (struct acpi_gas){
        .space = ACPI_SYSTEM_IO, .bit_width = 8 * bytes, .access_size = access, .address = address
    };
}

// Power-off and reset are each kernel's own; the legacy chips are their owner's, and to all others this is
// hardware-reduced ACPI (ACPI 6.4, 4.1), where nobody may look for them.
static bool reduced(const struct partition_kernel *kernel) { return !(kernel->flags & KERNEL_LEGACY); }

static uint16_t boot_architecture(const struct partition_kernel *kernel) {
    return (kernel->flags & KERNEL_VGA ? 0 : IAPC_NO_VGA)
         | (reduced(kernel) ? IAPC_NO_CMOS_RTC : IAPC_LEGACY_DEVICES);
}

static void fadt_registers(struct acpi_fadt *fadt) {
    fadt->pm1a_evt_blk = PORT_PM1_EVENT;
    fadt->pm1a_cnt_blk = PORT_PM1_CONTROL;
    fadt->pm_tmr_blk = PORT_PM_TIMER;
    fadt->pm1_evt_len = FADT_PM1_EVENT_LENGTH;
    fadt->pm1_cnt_len = FADT_PM1_CONTROL_LENGTH;
    fadt->pm_tmr_len = FADT_PM_TIMER_LENGTH;
    fadt->x_pm1a_evt_blk = acpi_port(PORT_PM1_EVENT, FADT_PM1_EVENT_LENGTH, ACPI_ACCESS_WORD);
    fadt->x_pm1a_cnt_blk = acpi_port(PORT_PM1_CONTROL, FADT_PM1_CONTROL_LENGTH, ACPI_ACCESS_WORD);
    fadt->x_pm_tmr_blk = acpi_port(PORT_PM_TIMER, FADT_PM_TIMER_LENGTH, ACPI_ACCESS_DWORD);
    fadt->sleep_control_reg = acpi_port(PORT_SLEEP_CONTROL, 1, ACPI_ACCESS_BYTE);
    fadt->sleep_status_reg = acpi_port(PORT_SLEEP_STATUS, 1, ACPI_ACCESS_BYTE);
    fadt->reset_reg = acpi_port(PORT_RESET_CONTROL, 1, ACPI_ACCESS_BYTE);
    fadt->reset_value = ACPI_RESET_VALUE;
}

static uint32_t fadt_write(struct boot *boot) {
    uint32_t facs = facs_write(boot), dsdt = dsdt_write(boot);
    struct acpi_fadt *fadt = area_take(boot, sizeof(*fadt), 16);
    fadt->firmware_ctrl = facs;
    fadt->dsdt = fadt->x_dsdt = dsdt;
    fadt->sci_int = ACPI_SCI_IRQ;
    fadt->p_lvl2_lat = FADT_NO_C2;
    fadt->p_lvl3_lat = FADT_NO_C3;
    fadt->century = reduced(boot->kernel) ? 0 : ACPI_RTC_CENTURY;
    fadt->iapc_boot_arch = boot_architecture(boot->kernel);
    fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_FIX_RTC
                | FADT_RESET_REG_SUP | FADT_APIC_PHYSICAL | (reduced(boot->kernel) ? FADT_HW_REDUCED : 0);
    fadt_registers(fadt);
    acpi_seal(&fadt->header, "FACP", sizeof(*fadt), ACPI_FADT_REVISION);
    return (uint32_t)fadt;
}

static uint32_t hpet_write(struct boot *boot) {
    struct acpi_hpet *hpet = area_take(boot, sizeof(*hpet), 16);
    hpet->block_id = HPET_BLOCK_ID;
    hpet->base = (struct acpi_gas){ .space = ACPI_SYSTEM_MEMORY, .bit_width = 64, .address = HPET };
    hpet->minimum_tick = HPET_MINIMUM_TICK;
    acpi_seal(&hpet->header, "HPET", sizeof(*hpet), 1);
    return (uint32_t)hpet;
}

// For those who know only ACPI 1.0.
static uint32_t rsdt_write(struct boot *boot, const uint32_t *tables, uint32_t count) {
    uint32_t size = sizeof(struct acpi_table) + count * sizeof(*tables);
    struct acpi_table *rsdt = area_take(boot, size, 16);
    memcpy(rsdt + 1, tables, count * sizeof(*tables));
    acpi_seal(rsdt, "RSDT", size, 1);
    return (uint32_t)rsdt;
}

static uint32_t mcfg_write(struct boot *boot) {
    struct acpi_mcfg *mcfg = area_take(boot, sizeof(*mcfg), 16);
    mcfg->base = ECAM + boot->kernel->pci_segment * ECAM_BUS;
    mcfg->segment = (uint16_t)boot->kernel->pci_segment;
    acpi_seal(&mcfg->header, "MCFG", sizeof(*mcfg), 1);
    return (uint32_t)mcfg;
}

static uint32_t xsdt_write(struct boot *boot, const uint32_t *tables, uint32_t count) {
    uint32_t size = sizeof(struct acpi_table) + count * sizeof(uint64_t);
    struct acpi_table *xsdt = area_take(boot, size, 16);
    uint64_t *entry = (uint64_t *)(xsdt + 1);
    for (uint32_t i = 0; i < count; i++)
        entry[i] = tables[i];
    acpi_seal(xsdt, "XSDT", size, 1);
    return (uint32_t)xsdt;
}

uint32_t acpi_write(struct boot *boot) {
    struct acpi_rsdp *rsdp = area_take(boot, sizeof(*rsdp), 16);
    uint32_t tables[7], count = 0;
    tables[count++] = fadt_write(boot);
    tables[count++] = madt_write(boot);
    tables[count++] = mkpt_write(boot);
    if (boot->kernel->uart_port)
        tables[count++] = spcr_write(boot);
    if (boot->kernel->flags & KERNEL_LEGACY)
        tables[count++] = hpet_write(boot);
    if (boot->kernel->pci_segment != NOBODY)
        tables[count++] = mcfg_write(boot);
    if (iommu_owned(boot->id))
        tables[count++] = dmar_write(boot);
    uint32_t rsdt = rsdt_write(boot, tables, count);
    seal_rsdp(rsdp, rsdt, xsdt_write(boot, tables, count));
    return (uint32_t)rsdp;
}
