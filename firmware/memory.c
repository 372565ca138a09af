// The kernel's memory map, in address order: its RAM, the tables area as ACPI memory, its windows as reserved
// (they are not its to allocate from). What is not listed is not there.
#include "firmware.h"

static void add(struct boot *boot, uint64_t base, uint64_t size, uint32_t type) {
    struct pvh_memory *entry = &boot->memory[boot->memory_count];
    if (!size)
        return;
    for (; entry > boot->memory && entry[-1].base > base; entry--)
        *entry = entry[-1];
    *entry = (struct pvh_memory){ .base = base, .size = size, .type = type };
    boot->memory_count++;
}

// RAM, less the tables area if it lies in this span.
static void add_span(struct boot *boot, const struct partition_span *span) {
    uint64_t hole = boot->kernel->tables_base, hole_end = hole + boot->kernel->tables_size;
    uint64_t end = span->base + span->size;
    if (hole < span->base || hole_end > end) {
        add(boot, span->base, span->size, MEMORY_RAM);
        return;
    }
    add(boot, span->base, hole - span->base, MEMORY_RAM);
    add(boot, hole_end, end - hole_end, MEMORY_RAM);
}

static void add_windows(struct boot *boot) {
    for (uint32_t i = 0; i < table()->grants.count; i++) {
        const struct partition_grant *grant = grant_at(i);
        const struct partition_window *window = window_at(grant->window);
        if (grant->kernel == boot->id)
            add(boot, window->base, window->size, MEMORY_RESERVED);
    }
}

static uint32_t most_entries(const struct boot *boot) {
    uint32_t windows = 0;
    for (uint32_t i = 0; i < table()->grants.count; i++)
        windows += grant_at(i)->kernel == boot->id;
    return 1 + boot->kernel->span_count + 2 + windows;      // the tables area may split a span in two
}

// What belongs together is one entry, also where the page for SIPIs was cut out of a span.
static void join(struct boot *boot) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < boot->memory_count; i++) {
        const struct pvh_memory *entry = &boot->memory[i];
        struct pvh_memory *last = &boot->memory[count ? count - 1 : 0];
        if (count && last->type == entry->type && last->base + last->size == entry->base)
            last->size += entry->size;
        else
            boot->memory[count++] = *entry;
    }
    boot->memory_count = count;
}

void memory_map_write(struct boot *boot) {
    const struct partition_kernel *kernel = boot->kernel;
    boot->memory = area_take(boot, most_entries(boot) * sizeof(struct pvh_memory), 16);
    add(boot, kernel->low_base, kernel->low_size, MEMORY_RAM);
    for (uint32_t i = 0; i < kernel->span_count; i++)
        add_span(boot, span_at(kernel->first_span + i));
    add(boot, kernel->tables_base, kernel->tables_size, MEMORY_ACPI);
    add_windows(boot);
    join(boot);
}
