// What each core needs of its own: GDT, TSS with interrupt stacks, GS. SDM vol. 3A, 3.4.5 and 9.7.
#include "kernel.h"

struct core cores[NCPU];
static u8 stacks[NCPU][STACK] __attribute__((aligned(PAGE)));
static u8 trap_stacks[NCPU][TRAP_STACKS][PAGE] __attribute__((aligned(PAGE)));

// Top of the stack on which core `number` runs after start-up.
u64 core_stack(u32 number) { return (u64)stacks[number] + STACK; }

static void set_pair(u32 *pair, u64 value) {
    pair[0] = value;
    pair[1] = value >> 32;
}

static void fill_tss(struct core *core) {
    u8 (*stack)[PAGE] = trap_stacks[core->number];
    for (u32 i = 0; i < TRAP_STACKS - 1; i++)
        set_pair(&core->tss.ist[2 * i], (u64)stack[i] + PAGE);
    set_pair(core->tss.rsp, (u64)stack[TRAP_STACKS - 1] + PAGE);    // for traps from ring 3
    core->tss.io_map = sizeof core->tss;        // none: no port is ring 3's
}

static void fill_gdt(struct core *core) {
    u64 tss = (u64)&core->tss, *gdt = core->gdt;
    gdt[KCODE / 8] = 0x00af9b000000ffff;
    gdt[KDATA / 8] = 0x00cf93000000ffff;
    gdt[UDATA / 8] = 0x00cff3000000ffff;
    gdt[UCODE / 8] = 0x00affb000000ffff;
    gdt[TSS / 8] = (sizeof core->tss - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    gdt[TSS / 8 + 1] = tss >> 32;
    gdt[SPARE / 8] = 0x00cf13000000ffff;        // data, ring 0, not present
}

static void load_gdt(struct core *core) {
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof core->gdt - 1, (u64)core->gdt };
    asm volatile("lgdt %0" :: "m"(pointer));
    asm volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" :: "i"(KCODE) : "rax", "memory");
    asm volatile("movl %0, %%ss" :: "r"(KDATA));
    asm volatile("ltr %w0" :: "r"(TSS));
}

// Set up the core this runs on as core `number` of the kernel.
void core_init(u32 number) {
    struct core *core = &cores[number];
    core->self = core;
    core->number = number;
    fill_tss(core);
    fill_gdt(core);
    load_gdt(core);
    trap_load();
    wrmsr(MSR_GS_BASE, (u64)core);
    mce_init();
}
