// Is the partition table what it claims to be? After check_table() no size, index or address in it leads astray.
#include "firmware.h"

static void need(bool fine, const char *what, uint32_t index, const char *complaint) {
    if (!fine)
        stop(POST_BAD_TABLE, "partition table at %x: %s %u %s", PARTITION_TABLE, what, index, complaint);
}

static void check_word(const char *what, uint32_t is, uint32_t wanted) {
    if (is != wanted)
        stop(POST_BAD_TABLE, "partition table at %x: %s is %x, not %x", PARTITION_TABLE, what, is, wanted);
}

static void check_header(const struct partition_header *header) {
    check_word("magic", header->magic, PARTITION_MAGIC);
    check_word("version", header->version, PARTITION_VERSION);
    need(header->size >= sizeof(*header) && header->size <= PARTITION_TABLE_SIZE && header->size % 4 == 0, "size",
         header->size, "is impossible");
    need(header->dram_pages <= DRAM_LIMIT / PAGE, "DRAM of", header->dram_pages, "pages is impossible");
}

static void check_sum(const struct partition_header *header) {
    const uint32_t *word = (const uint32_t *)header;
    uint32_t sum = 0;
    for (uint32_t n = header->size / 4; n; n--)
        sum += *word++;
    check_word("sum of all words", sum, 0);
}

static void check_array(const char *name, struct partition_array array, uint32_t entry) {
    uint32_t size = table()->size;
    need(array.offset >= sizeof(struct partition_header) && array.offset <= size, name, array.offset,
         "is no offset of an array");
    need(array.count <= (size - array.offset) / entry, name, array.count, "is too many");
}

static void check_arrays(const struct partition_header *header) {
    check_array("kernels:", header->kernels, sizeof(struct partition_kernel));
    check_array("cores:", header->cores, sizeof(struct partition_core));
    check_array("spans:", header->spans, sizeof(struct partition_span));
    check_array("windows:", header->windows, sizeof(struct partition_window));
    check_array("grants:", header->grants, sizeof(struct partition_grant));
    check_array("doorbells:", header->doorbells, sizeof(struct partition_doorbell));
    check_array("modules:", header->modules, sizeof(struct partition_module));
    check_array("strings:", header->strings, 1);
    need(header->cores.count <= CORES_MAX, "cores:", header->cores.count, "is too many");
}

static void check_strings(const struct partition_header *header) {
    uint32_t size = header->strings.count;
    need(size && !string_at(size - 1)[0], "string pool of size", size, "does not end with NUL");
}

static bool is_kernel(uint32_t index) { return index < table()->kernels.count; }

static bool is_string(uint32_t offset) { return offset < table()->strings.count; }

static bool in_dram(uint64_t base, uint64_t size) {
    uint64_t dram = (uint64_t)table()->dram_pages * PAGE;
    return base <= dram && size <= dram - base;
}

static bool is_part(uint32_t first, uint32_t count, struct partition_array array) {
    return first <= array.count && count <= array.count - first;
}

static bool owns(const struct partition_kernel *kernel, uint64_t base, uint64_t size) {
    for (uint32_t i = 0; i < kernel->span_count; i++) {
        const struct partition_span *span = span_at(kernel->first_span + i);
        if (base >= span->base && size <= span->size && base - span->base <= span->size - size)
            return true;
    }
    return false;
}

static void check_kernel(uint32_t i) {
    const struct partition_header *header = table();
    const struct partition_kernel *kernel = kernel_at(i);
    need(is_string(kernel->name) && is_string(kernel->cmdline), "kernel", i, "has a name or cmdline nowhere");
    need(is_part(kernel->first_span, kernel->span_count, header->spans), "kernel", i, "has spans nowhere");
    need(is_part(kernel->first_module, kernel->module_count, header->modules), "kernel", i, "has modules nowhere");
    need(kernel->boot_core < header->cores.count && core_at(kernel->boot_core)->kernel == i, "kernel", i,
         "does not own its boot core");
    need(kernel->ioapic == NOBODY || kernel->ioapic < header->ioapics, "kernel", i, "has no such I/O APIC");
    need(kernel->protocol == PROTOCOL_PVH || kernel->protocol == PROTOCOL_MULTIBOOT, "kernel", i,
         "wants an unknown boot protocol");
    need(in_dram(kernel->entry, 1), "kernel", i, "has its entry beyond DRAM");
    need(in_dram(kernel->low_base, kernel->low_size), "kernel", i, "has its low pages beyond DRAM");
}

// The firmware writes there, so it must be the kernel's own, and not the firmware's.
static void check_tables_area(uint32_t i) {
    const struct partition_kernel *kernel = kernel_at(i);
    need(owns(kernel, kernel->tables_base, kernel->tables_size), "kernel", i, "does not own its tables area");
    need(kernel->tables_base % PAGE == 0 && kernel->tables_base >= HIGH_DRAM, "kernel", i,
         "has a crooked or low tables area");
}

static void check_entries(const struct partition_header *header) {
    for (uint32_t i = 0; i < header->cores.count; i++)
        need(core_at(i)->kernel == NOBODY || is_kernel(core_at(i)->kernel), "core", i, "is owned by no kernel");
    for (uint32_t i = 0; i < header->spans.count; i++)
        need(in_dram(span_at(i)->base, span_at(i)->size), "span", i, "reaches beyond DRAM");
    for (uint32_t i = 0; i < header->windows.count; i++)
        need(is_string(window_at(i)->name), "window", i, "has its name nowhere");
    for (uint32_t i = 0; i < header->grants.count; i++)
        need(grant_at(i)->window < header->windows.count && is_kernel(grant_at(i)->kernel), "grant", i,
             "is of no window or to no kernel");
    for (uint32_t i = 0; i < header->doorbells.count; i++)
        need(is_kernel(doorbell_at(i)->sender) && is_kernel(doorbell_at(i)->receiver), "doorbell", i,
             "is from or to no kernel");
    for (uint32_t i = 0; i < header->modules.count; i++)
        need(is_string(module_at(i)->cmdline) && in_dram(module_at(i)->base, module_at(i)->size), "module", i,
             "or its cmdline is nowhere");
}

void check_table(void) {
    const struct partition_header *header = table();
    check_header(header);
    check_sum(header);
    check_arrays(header);
    check_strings(header);
    check_entries(header);
    for (uint32_t i = 0; i < header->kernels.count; i++) {
        check_kernel(i);
        check_tables_area(i);
    }
}
