// What the kernel can do and has, in AML (ACPI 6.4, chapter 20): it can switch itself off, and may have
// a PC's chips and serial ports. SPCR says which of them is its console.
#include "firmware.h"

// Name (\_S5, Package () {SOFT_OFF, SOFT_OFF, 0, 0}): the sleep type of soft off.
static const uint8_t soft_off[] = {
    0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, SOFT_OFF, 0x0a, SOFT_OFF, 0, 0
};

// Scope (\_SB) { Device (COM1) { ... } }; the tenth is CO10.
static const uint8_t serial_port[] = {
    0x10, 0x35, '\\', '_', 'S', 'B', '_',
    0x5b, 0x82, 0x2d, 'C', 'O', 'M', '0',
    0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,     // EISAID ("PNP0501"): a 16550A
    0x08, '_', 'U', 'I', 'D', 0x0b, 0, 0,                       // its number
    0x08, '_', 'C', 'R', 'S', 0x11, 0x10, 0x0a, 0x0d,           // ResourceTemplate ()
    0x47, 0x01, 0, 0, 0, 0, 0x01, 0x08,                         // IO (Decode16, port, port, 1, 8)
    0x22, 0, 0,                                                 // IRQNoFlags () {irq}
    0x79, 0x00,
};

// From the end of serial_port.
enum { NAME = 44, UID = 24, PORT_MIN = 11, PORT_MAX = 9, IRQ_MASK = 4 };

static void put16(uint8_t *at, uint16_t value) { memcpy(at, &value, sizeof(value)); }

static void put_name(uint8_t *name, uint32_t number) {
    for (uint8_t *digit = name + 3; digit > name && (number || digit == name + 3); number /= 10)
        *digit-- = '0' + number % 10;
}

static void serial_port_write(struct boot *boot, const struct partition_uart *uart) {
    uint8_t *end = area_take(boot, sizeof(serial_port), 1);
    end = (uint8_t *)memcpy(end, serial_port, sizeof(serial_port)) + sizeof(serial_port);
    put_name(end - NAME, uart->number);
    put16(end - UID, uart->number);
    put16(end - PORT_MIN, uart->port);
    put16(end - PORT_MAX, uart->port);
    put16(end - IRQ_MASK, uart->irq ? 1 << uart->irq : 0);
}

uint32_t dsdt_write(struct boot *boot) {
    struct acpi_table *dsdt = area_take(boot, sizeof(*dsdt), 16);
    memcpy(area_take(boot, sizeof(soft_off), 1), soft_off, sizeof(soft_off));
    chipset_write(boot);
    for (uint32_t i = 0; i < boot->kernel->uart_count; i++)
        serial_port_write(boot, uart_at(boot->kernel->first_uart + i));
    acpi_seal(dsdt, "DSDT", (uint32_t)(boot->next - (uint8_t *)dsdt), ACPI_DSDT_REVISION);
    return (uint32_t)dsdt;
}

// An interrupt only by controllers that are the kernel's own.
static uint8_t interrupt_type(const struct partition_kernel *kernel) {
    uint8_t type = kernel->flags & KERNEL_LEGACY ? SPCR_INTERRUPT_8259 : 0;
    if (kernel->ioapic != NOBODY)
        type |= SPCR_INTERRUPT_IOAPIC;
    return kernel->uart_irq ? type : 0;
}

uint32_t spcr_write(struct boot *boot) {
    const struct partition_kernel *kernel = boot->kernel;
    struct acpi_spcr *spcr = area_take(boot, sizeof(*spcr), 16);
    spcr->interface_type = SPCR_FULL_16550;
    spcr->base = acpi_port(kernel->uart_port, 1, ACPI_ACCESS_BYTE);
    spcr->interrupt_type = interrupt_type(kernel);
    spcr->irq = spcr->interrupt_type & SPCR_INTERRUPT_8259 ? kernel->uart_irq : 0;
    spcr->gsi = spcr->interrupt_type & SPCR_INTERRUPT_IOAPIC ? kernel->uart_irq : 0;
    spcr->baud_rate = SPCR_BAUD_115200;
    spcr->stop_bits = 1;
    spcr->pci_device_id = spcr->pci_vendor_id = SPCR_NO_PCI;
    acpi_seal(&spcr->header, "SPCR", sizeof(*spcr), ACPI_SPCR_REVISION);
    return (uint32_t)spcr;
}
