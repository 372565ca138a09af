// MKPT: what no standard table can tell a kernel, namely that it is not alone. mksim/spec/partition.py.
#include "firmware.h"

static void put_name(char *to, uint32_t string) {
    const char *name = string_at(string);
    uint32_t length = strlen(name);
    memcpy(to, name, length < NAME_SIZE ? length : NAME_SIZE - 1);
}

// The entries that were written from `start` to where the area goes on now.
static struct partition_array array(const struct boot *boot, const struct mkpt *mkpt, uint8_t *start,
                                    uint32_t entry) {
    return (struct partition_array){
        .offset = (uint32_t)start - (uint32_t)mkpt, .count = (uint32_t)(boot->next - start) / entry
    };
}

static void window_write(struct boot *boot, const struct partition_grant *grant) {
    const struct partition_window *window = window_at(grant->window);
    struct mkpt_window *entry = area_take(boot, sizeof(*entry), 1);
    entry->base = window->base;
    entry->size = window->size;
    entry->rights = grant->rights;
    put_name(entry->name, window->name);
}

static struct partition_array windows_write(struct boot *boot, const struct mkpt *mkpt) {
    uint8_t *start = boot->next;
    for (uint32_t i = 0; i < table()->grants.count; i++)
        if (grant_at(i)->kernel == boot->id)
            window_write(boot, grant_at(i));
    return array(boot, mkpt, start, sizeof(struct mkpt_window));
}

static void doorbell_write(struct boot *boot, const struct partition_doorbell *doorbell, uint32_t peer) {
    struct mkpt_doorbell *entry = area_take(boot, sizeof(*entry), 1);
    entry->peer = peer;
    entry->apic_id = core_at(kernel_at(peer)->boot_core)->apic_id;
    entry->delivery = doorbell->delivery;
    entry->first_vector = doorbell->first_vector;
    entry->last_vector = doorbell->last_vector;
    put_name(entry->name, kernel_at(peer)->name);
}

static struct partition_array doorbells_write(struct boot *boot, const struct mkpt *mkpt, bool outgoing) {
    uint8_t *start = boot->next;
    for (uint32_t i = 0; i < table()->doorbells.count; i++) {
        const struct partition_doorbell *doorbell = doorbell_at(i);
        uint32_t me = outgoing ? doorbell->sender : doorbell->receiver;
        uint32_t peer = outgoing ? doorbell->receiver : doorbell->sender;
        if (me == boot->id)
            doorbell_write(boot, doorbell, peer);
    }
    return array(boot, mkpt, start, sizeof(struct mkpt_doorbell));
}

static void uart_write(struct boot *boot, const struct partition_uart *uart) {
    struct mkpt_serial *entry = area_take(boot, sizeof(*entry), 1);
    entry->number = uart->number;
    entry->port = uart->port;
    entry->irq = uart->irq;
    entry->peer = uart->peer;
    if (uart->peer != NOBODY)
        put_name(entry->name, kernel_at(uart->peer)->name);
}

static struct partition_array uarts_write(struct boot *boot, const struct mkpt *mkpt) {
    uint8_t *start = boot->next;
    for (uint32_t i = 0; i < boot->kernel->uart_count; i++)
        uart_write(boot, uart_at(boot->kernel->first_uart + i));
    return array(boot, mkpt, start, sizeof(struct mkpt_serial));
}

uint32_t mkpt_write(struct boot *boot) {
    const struct partition_kernel *kernel = boot->kernel;
    struct mkpt *mkpt = area_take(boot, sizeof(*mkpt), 16);
    mkpt->kernel = boot->id;
    mkpt->rate = table()->rate;
    mkpt->low_base = kernel->low_base;
    mkpt->low_size = kernel->low_size;
    mkpt->uart_port = kernel->uart_port;
    mkpt->uart_irq = kernel->uart_irq;
    mkpt->windows = windows_write(boot, mkpt);
    mkpt->outgoing = doorbells_write(boot, mkpt, true);
    mkpt->incoming = doorbells_write(boot, mkpt, false);
    mkpt->serial = uarts_write(boot, mkpt);
    put_name(mkpt->name, kernel->name);
    acpi_seal((struct acpi_table *)mkpt, "MKPT", (uint32_t)(boot->next - (uint8_t *)mkpt), PARTITION_VERSION);
    return (uint32_t)mkpt;
}
