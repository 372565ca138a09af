// What Linux finds at its 64-bit entry: Documentation/arch/x86/boot.rst and zero-page.rst.
//
// The image brought its setup header with it, in boot_params; here come the loader's answers.
#include "firmware.h"

static void memory_write(struct linux_params *params, const struct boot *boot) {
    uint32_t count = boot->memory_count < LINUX_MEMORY_MAX ? boot->memory_count : LINUX_MEMORY_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct pvh_memory *memory = &boot->memory[i];
        params->e820_table[i] = (struct linux_memory){ memory->base, memory->size, memory->type };
    }
    params->e820_entries = count;
}

// The first module is the initial RAM disk.
static void ramdisk_write(struct linux_header *header, const struct partition_kernel *kernel) {
    const struct partition_module *first = kernel->module_count ? module_at(kernel->first_module) : 0;
    header->ramdisk_image = first ? first->base : 0;
    header->ramdisk_size = first ? first->size : 0;
}

static struct linux_screen screen(const struct partition_kernel *kernel) {
    if (!(kernel->flags & KERNEL_VGA))
        return (struct linux_screen){ 0 };
    return (struct linux_screen){
        .orig_video_mode = LINUX_VIDEO_MODE, .orig_video_cols = 80, .orig_video_lines = 25,
        .orig_video_isvga = LINUX_VIDEO_VGA, .orig_video_points = 16,
    };
}

uint32_t linux_write(struct boot *boot) {
    struct linux_params *params = (struct linux_params *)(uint32_t)boot->kernel->parameters_base;
    params->screen = screen(boot->kernel);
    params->acpi_rsdp_addr = boot->rsdp;
    memory_write(params, boot);
    params->header.type_of_loader = LINUX_LOADER_UNDEFINED;
    params->header.code32_start = boot->kernel->entry - LINUX_ENTRY_64;
    params->header.cmd_line_ptr = area_string(boot, string_at(boot->kernel->cmdline));
    ramdisk_write(&params->header, boot->kernel);
    return (uint32_t)params;
}
