// Is the partition table what it claims to be? After check_table() no size, index or address in it leads
// astray.
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
    uint32_t size = header->size, pages = header->dram_pages;
    need(size >= sizeof(*header) && size <= PARTITION_TABLE_SIZE && size % 4 == 0, "size", size,
         "is impossible");
    need(pages <= DRAM_LIMIT / PAGE, "DRAM of", pages, "pages is impossible");
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
    check_array("uarts:", header->uarts, sizeof(struct partition_uart));
    check_array("iommus:", header->iommus, sizeof(struct partition_iommu));
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

static void kernel_needs(bool fine, uint32_t index, const char *complaint) {
    need(fine, "kernel", index, complaint);
}

static void check_kernel(uint32_t i) {
    const struct partition_header *header = table();
    const struct partition_kernel *kernel = kernel_at(i);
    kernel_needs(is_string(kernel->name) && is_string(kernel->cmdline), i, "has a name or cmdline nowhere");
    kernel_needs(is_part(kernel->first_span, kernel->span_count, header->spans), i, "has spans nowhere");
    kernel_needs(is_part(kernel->first_module, kernel->module_count, header->modules), i,
                 "has modules nowhere");
    kernel_needs(is_part(kernel->first_uart, kernel->uart_count, header->uarts), i, "has UARTs nowhere");
    kernel_needs(kernel->boot_core < header->cores.count && core_at(kernel->boot_core)->kernel == i, i,
                 "does not own its boot core");
    kernel_needs(kernel->ioapic == NOBODY || kernel->ioapic < header->ioapics, i, "has no such I/O APIC");
    kernel_needs(kernel->protocol >= PROTOCOL_PVH && kernel->protocol <= PROTOCOL_LINUX, i,
                 "wants an unknown boot protocol");
    kernel_needs(in_dram(kernel->entry, 1), i, "has its entry beyond DRAM");
    kernel_needs(in_dram(kernel->low_base, kernel->low_size), i, "has its low pages beyond DRAM");
}

// The firmware writes there, so these must be the kernel's own, and not where the firmware works.
static void check_tables_area(uint32_t i) {
    const struct partition_kernel *kernel = kernel_at(i);
    kernel_needs(owns(kernel, kernel->tables_base, kernel->tables_size), i, "does not own its tables area");
    kernel_needs(kernel->tables_base % PAGE == 0 && kernel->tables_base >= HIGH_DRAM, i,
                 "has a crooked or low tables area");
}

static void check_parameters(uint32_t i) {
    const struct partition_kernel *kernel = kernel_at(i);
    uint64_t base = kernel->parameters_base, size = kernel->parameters_size;
    bool linux = kernel->protocol == PROTOCOL_LINUX;
    kernel_needs(owns(kernel, base, size) || (!size && !linux), i, "does not own its parameters");
    kernel_needs(!size || base >= HIGH_DRAM || (base >= LOW_PAGES && base + size <= FIRMWARE_RAM), i,
                 "has its parameters where the firmware works");
    kernel_needs(!linux || size >= PAGE, i, "has no room for its boot_params");
}

static void check_core(uint32_t i) {
    uint32_t owner = core_at(i)->kernel;
    need(owner == NOBODY || is_kernel(owner), "core", i, "is owned by no kernel");
}

static void check_span(uint32_t i) {
    need(in_dram(span_at(i)->base, span_at(i)->size), "span", i, "reaches beyond DRAM");
}

static void check_window(uint32_t i) {
    need(is_string(window_at(i)->name), "window", i, "has its name nowhere");
}

static void check_grant(uint32_t i) {
    const struct partition_grant *grant = grant_at(i);
    need(grant->window < table()->windows.count && is_kernel(grant->kernel), "grant", i,
         "is of no window or to no kernel");
}

static void check_doorbell(uint32_t i) {
    const struct partition_doorbell *doorbell = doorbell_at(i);
    need(is_kernel(doorbell->sender) && is_kernel(doorbell->receiver), "doorbell", i,
         "is from or to no kernel");
}

static void check_module(uint32_t i) {
    const struct partition_module *module = module_at(i);
    need(is_string(module->cmdline) && in_dram(module->base, module->size), "module", i,
         "or its cmdline is nowhere");
}

static void check_uart(uint32_t i) {
    need(uart_at(i)->peer == NOBODY || is_kernel(uart_at(i)->peer), "UART", i, "is wired to no kernel");
}

static void check_iommu(uint32_t i) {
    const struct partition_iommu *iommu = iommu_at(i);
    need(iommu->owner == NOBODY || is_kernel(iommu->owner), "IOMMU", i, "is owned by no kernel");
    need(in_dram(iommu->root, PAGE) && in_dram(iommu->interrupts & -PAGE, PAGE), "IOMMU", i,
         "has its tables beyond DRAM");
}

static void check_each(struct partition_array array, void (*check)(uint32_t index)) {
    for (uint32_t i = 0; i < array.count; i++)
        check(i);
}

void check_table(void) {
    const struct partition_header *header = table();
    check_header(header);
    check_sum(header);
    check_arrays(header);
    check_strings(header);
    check_each(header->cores, check_core);
    check_each(header->spans, check_span);
    check_each(header->windows, check_window);
    check_each(header->grants, check_grant);
    check_each(header->doorbells, check_doorbell);
    check_each(header->modules, check_module);
    check_each(header->uarts, check_uart);
    check_each(header->iommus, check_iommu);
    check_each(header->kernels, check_kernel);
    check_each(header->kernels, check_tables_area);
    check_each(header->kernels, check_parameters);
}
