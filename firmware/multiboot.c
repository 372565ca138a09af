// What a multiboot kernel finds at its entry: Multiboot Specification 0.6.96, 3.3.
#include "firmware.h"

static uint32_t modules_write(struct boot *boot) {
    const struct partition_kernel *kernel = boot->kernel;
    struct multiboot_module *list = area_take(boot, kernel->module_count * sizeof(*list), 16);
    for (uint32_t i = 0; i < kernel->module_count; i++) {
        const struct partition_module *module = module_at(kernel->first_module + i);
        list[i].start = module->base;
        list[i].end = module->base + module->size;
        list[i].cmdline = area_string(boot, string_at(module->cmdline));
    }
    return (uint32_t)list;
}

static uint32_t memory_write(struct boot *boot) {
    struct multiboot_memory *map = area_take(boot, boot->memory_count * sizeof(*map), 16);
    for (uint32_t i = 0; i < boot->memory_count; i++) {
        map[i].entry_size = sizeof(*map) - sizeof(map->entry_size);
        map[i].base = boot->memory[i].base;
        map[i].size = boot->memory[i].size;
        map[i].type = boot->memory[i].type;
    }
    return (uint32_t)map;
}

// RAM in KiB without a gap from `base` on: 0 for most kernels here, whose memory begins elsewhere.
static uint32_t ram_from(const struct boot *boot, uint64_t base) {
    uint64_t end = base;
    for (uint32_t i = 0; i < boot->memory_count; i++) {
        const struct pvh_memory *memory = &boot->memory[i];
        if (memory->type == MEMORY_RAM && memory->base <= end && memory->base + memory->size > end)
            end = memory->base + memory->size;
    }
    return (end - base) >> 10;
}

uint32_t multiboot_write(struct boot *boot) {
    // Many a kernel reads all this by page tables of its own that reach only the first megabytes.
    if (boot->kernel->parameters_size)
        area_begin(boot, boot->kernel->parameters_base, boot->kernel->parameters_size);
    struct multiboot_info *info = area_take(boot, sizeof(*info), 16);
    info->flags = MULTIBOOT_MEMORY | MULTIBOOT_CMDLINE | MULTIBOOT_MODULES | MULTIBOOT_MEMORY_MAP
                | MULTIBOOT_LOADER_NAME;
    info->mem_lower = ram_from(boot, 0);
    info->mem_upper = ram_from(boot, HIGH_DRAM);
    info->cmdline = area_string(boot, string_at(boot->kernel->cmdline));
    info->mods_count = boot->kernel->module_count;
    info->mods_addr = modules_write(boot);
    info->mmap_length = boot->memory_count * sizeof(struct multiboot_memory);
    info->mmap_addr = memory_write(boot);
    info->boot_loader_name = area_string(boot, "mksim");
    return (uint32_t)info;
}
