// From reset to as many kernels as the partition table names.
//
//   BSP, from the reset vector          a kernel's boot core, from SIPI F0h (again at each restart)
//   check the table                     check the table
//   quiet the board                     quiet what the kernel owns
//   start the others' boot cores        write the kernel's tables into its own memory
//   go on as a boot core, or park       hand off
#include "firmware.h"

// A core whose ID does not fit the xAPIC's 8 bits needs x2APIC mode, and so does whoever wants to reach it.
static bool is_far(uint32_t core) { return core_at(core)->apic_id >= MADT_FIRST_X2APIC; }

static bool any_boot_core_far(void) {
    for (uint32_t i = 0; i < table()->kernels.count; i++)
        if (is_far(kernel_at(i)->boot_core))
            return true;
    return false;
}

static bool any_core_far(uint32_t kernel) {
    for (uint32_t i = 0; i < table()->cores.count; i++)
        if (core_at(i)->kernel == kernel && is_far(i))
            return true;
    return false;
}

static void quiet_board(void) {
    pic_mask();
    for (uint32_t i = 0; i < table()->ioapics; i++)
        ioapic_mask(i);
    iommu_start();
    lapic_init(any_boot_core_far(), false);
    post(POST_BOARD);
}

static void start_others(uint32_t me) {
    for (uint32_t i = 0; i < table()->kernels.count; i++)
        if (kernel_at(i)->boot_core != me)
            lapic_start(core_at(kernel_at(i)->boot_core)->apic_id);
    post(POST_STARTED);
}

// Also after a kernel died: nothing that it left switched on may reach its successor.
static void quiet_own(const struct partition_kernel *kernel, uint32_t id) {
    bool legacy = kernel->flags & KERNEL_LEGACY;
    if (legacy)
        pic_mask();
    if (kernel->ioapic != NOBODY)
        ioapic_mask(kernel->ioapic);
    lapic_init(any_core_far(id), legacy);
}

static _Noreturn void enter_linux(struct boot *boot) {
    uint32_t rsi = linux_write(boot), cr3 = paging_write(boot);
    post(POST_HAND_OFF);
    hand_off_64(boot->id, boot->kernel->entry, rsi, cr3);
}

static _Noreturn void enter_kernel(struct boot *boot) {
    if (boot->kernel->protocol == PROTOCOL_LINUX)
        enter_linux(boot);
    bool pvh = boot->kernel->protocol == PROTOCOL_PVH;
    uint32_t ebx = pvh ? pvh_write(boot) : multiboot_write(boot);
    post(POST_HAND_OFF);
    hand_off(boot->id, boot->kernel->entry, pvh ? 0 : MULTIBOOT_MAGIC, ebx);
}

static _Noreturn void boot(uint32_t id) {
    const struct partition_kernel *kernel = kernel_at(id);
    struct boot boot = { .kernel = kernel, .id = id };
    quiet_own(kernel, id);
    area_begin(&boot, kernel->tables_base, kernel->tables_size);
    boot.rsdp = acpi_write(&boot);
    memory_map_write(&boot);
    enter_kernel(&boot);
}

// From reset.S: which core this is, NOBODY if the table does not say.
_Noreturn void enter(uint32_t core, uint32_t bsp) {
    post(POST_ENTERED);
    check_table();
    post(POST_TABLE);
    if (core >= table()->cores.count)
        stop(POST_UNKNOWN_CORE, "the partition table does not know this core");
    if (bsp) {
        quiet_board();
        start_others(core);
    }
    uint32_t kernel = core_at(core)->kernel;
    if (kernel == NOBODY || kernel_at(kernel)->boot_core != core)
        park();
    boot(kernel);
}
