// What a PVH kernel finds at its entry: Xen, public/arch-x86/hvm/start_info.h.
#include "firmware.h"

static uint32_t modules_write(struct boot *boot) {
    const struct partition_kernel *kernel = boot->kernel;
    struct pvh_module *list = area_take(boot, kernel->module_count * sizeof(*list), 16);
    for (uint32_t i = 0; i < kernel->module_count; i++) {
        const struct partition_module *module = module_at(kernel->first_module + i);
        list[i].base = module->base;
        list[i].size = module->size;
        list[i].cmdline = area_string(boot, string_at(module->cmdline));
    }
    return (uint32_t)list;
}

uint32_t pvh_write(struct boot *boot) {
    struct pvh_start *start = area_take(boot, sizeof(*start), 16);
    start->magic = PVH_MAGIC;
    start->version = PVH_VERSION;
    start->module_count = boot->kernel->module_count;
    start->modules = start->module_count ? modules_write(boot) : 0;
    start->cmdline = area_string(boot, string_at(boot->kernel->cmdline));
    start->rsdp = boot->rsdp;
    start->memory_map = (uint32_t)boot->memory;
    start->memory_map_count = boot->memory_count;
    return (uint32_t)start;
}
