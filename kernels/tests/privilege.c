// What ring 3 may not do: privileged instructions, I/O by IOPL and by the TSS's bit map, RDTSC while CR4.TSD is set,
// RDFSBASE without CR4.FSGSBASE; and the SMSW, SGDT and STR that it may. SDM vol. 3A, 6.9; vol. 1, 19.5.
#include "user.h"

#define CODE(name, bytes) extern u8 name[]; asm(#name ": " bytes "; ud2")       // #UD at the end: it was let through
CODE(does_hlt, "hlt");                CODE(does_cli, "cli");               CODE(does_sti, "sti");
CODE(does_clts, "clts");              CODE(does_invd, "invd");             CODE(does_wbinvd, "wbinvd");
CODE(does_lgdt, "lgdt (%rsp)");       CODE(does_lidt, "lidt (%rsp)");      CODE(does_lldt, "xorl %eax, %eax; lldt %ax");
CODE(does_ltr, "movl $0x30, %eax; ltr %ax");                               CODE(does_lmsw, "smsw %ax; lmsw %ax");
CODE(reads_cr0, "movq %cr0, %rax");   CODE(writes_cr3, "movq %rax, %cr3"); CODE(reads_cr8, "movq %cr8, %rax");
CODE(reads_dr0, "movq %dr0, %rax");   CODE(writes_dr7, "movq %rax, %dr7"); CODE(does_invlpg, "invlpg (%rsp)");
CODE(reads_msr, "movl $0x1b, %ecx; rdmsr");                                CODE(writes_msr, "movl $0x10, %ecx; wrmsr");
CODE(does_swapgs, "swapgs");          CODE(does_sysret, "sysretq");        CODE(sets_xcr, "xorl %ecx, %ecx; xsetbv");
CODE(does_monitor, "movq %rsp, %rax; xorl %ecx, %ecx; xorl %edx, %edx; monitor");
CODE(does_mwait, "xorl %eax, %eax; xorl %ecx, %ecx; mwait");
CODE(does_in, "movw $0x3fd, %dx; inb %dx, %al");
CODE(does_out4, "movw $0x80, %dx; xorl %eax, %eax; outl %eax, %dx");
CODE(does_ins, "movw $0x3fd, %dx; leaq -64(%rsp), %rdi; insb");
CODE(pops_if, "pushfq; andq $~0x3200, (%rsp); popfq; pushfq; testq $0x200, (%rsp); jz 1f; ud2; 1: hlt");
CODE(reads_tsc, "rdtsc");             CODE(reads_tscp, "rdtscp");
CODE(reads_fs, "rdfsbase %rax");      CODE(does_sgdt, "sgdt -16(%rsp); sidt -16(%rsp); sldt %eax; str %eax; smsw %eax");
CODE(does_cpuid, "xorl %eax, %eax; cpuid");

static int ends(const u8 *code) { return user_probe(code).vector; }

// Grant ring 3 a port, or all, by the bit map behind the core's TSS: a second TSS that has room for one.
static struct { u8 tss[104]; u8 map[8193]; } __attribute__((packed)) big;
static u64 gdt[GDT_SLOTS];

static void use_map(void) {
    struct core *core = this_core();
    u64 at = (u64)&big;
    memcpy(big.tss, &core->tss, sizeof big.tss);
    *(u16 *)(big.tss + 102) = sizeof big.tss;
    memset(big.map, 0xff, sizeof big.map);
    memcpy(gdt, core->gdt, sizeof gdt);
    gdt[TSS / 8] = (sizeof big - 1) | (at & 0xffffff) << 16 | 0x89ull << 40 | (at >> 24 & 0xff) << 56;
    gdt[TSS / 8 + 1] = at >> 32;
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof gdt - 1, (u64)gdt };
    asm volatile("lgdt %0; ltr %w1" :: "m"(pointer), "r"(TSS));
}

static void open_port(u32 port, bool open) {
    u8 bit = 1 << (port & 7);
    big.map[port / 8] = open ? big.map[port / 8] & ~bit : big.map[port / 8] | bit;
}

int main(void) {
    const u8 *const privileged[] = {
        does_hlt, does_cli, does_sti, does_clts, does_invd, does_wbinvd, does_lgdt, does_lidt, does_lldt, does_ltr,
        does_lmsw, reads_cr0, writes_cr3, reads_cr8, reads_dr0, writes_dr7, does_invlpg, reads_msr, writes_msr,
        does_swapgs, does_sysret, does_in, does_out4, does_ins,
    };
    write_cr4(read_cr4() | 1 << 18);                            // OSXSAVE
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    for (u32 i = 0; i < sizeof privileged / sizeof *privileged; i++) {
        struct outcome o = user_probe(privileged[i]);
        if (o.vector != GP || o.error != 0)
            print("instruction %u: vector %d, error %#lx\n", i, o.vector, o.error);
        CHECK(o.vector == GP && o.error == 0);
    }
    CHECK(ends(sets_xcr) == GP && ends(does_monitor) == UD && ends(does_mwait) == UD);
    CHECK(ends(does_sgdt) == UD && ends(does_cpuid) == UD && ends(reads_tsc) == UD);
    CHECK(ends(pops_if) == UD);                                 // POPFQ leaves IF and IOPL, and does not fault
    write_cr4(read_cr4() | 4);                                  // TSD
    CHECK(ends(reads_tsc) == GP && ends(reads_tscp) == GP);
    CHECK(rdtsc() != 0);
    write_cr4(read_cr4() & ~4ul);
    CHECK(ends(reads_fs) == UD);
    use_map();
    open_port(0x3fd, true);
    CHECK(ends(does_in) == UD && ends(does_ins) == UD && ends(does_out4) == GP);
    for (u32 port = 0x80; port < 0x83; port++)
        open_port(port, true);
    CHECK(ends(does_out4) == GP);                               // one of the four is closed
    open_port(0x83, true);
    CHECK(ends(does_out4) == UD);
    print("ring 3 does what it may\n");
    return 0;
}
