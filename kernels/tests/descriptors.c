// What loads of segments refuse, by the GDT and by an LDT: type, privilege, limit, presence. SDM vol. 3A, 5.5, 7.15.
#include "user.h"

#define LDT_SLOT   SPARE                        // two slots, of the GDT's last three
static u64 ldt[8], big_gdt[16];

// Slots of the LDT; | 4 makes a selector of one.
enum { READ_ONLY = 0x08, WRITABLE = 0x10, ABSENT = 0x18, CODE_ONLY = 0x20, RING3 = 0x28, GATE = 0x30 };
enum { TASK_BUSY = 0x50, NO_LDT = 0x60 };

#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { asm volatile(code : "+a"(a) : "c"(b) : "memory", "rdx"); return a; }
ATTEMPT(lldt, "lldt %%ax")
ATTEMPT(ltr, "ltr %%ax")
ATTEMPT(load_ds, "movl %%eax, %%ds")
ATTEMPT(load_fs, "movl %%eax, %%fs")
ATTEMPT(load_ss, "movl %%eax, %%ss; movl %%ecx, %%ss")
ATTEMPT(far_jump, "pushq %%rax; leaq 1f(%%rip), %%rdx; pushq %%rdx; lretq; 1: pushq %%rcx; leaq 2f(%%rip), %%rdx; pushq %%rdx; lretq; 2:")
ATTEMPT(far_call, "subq $16, %%rsp; movl $0, (%%rsp); movl %%eax, 4(%%rsp); lcall *(%%rsp); addq $16, %%rsp")
ATTEMPT(verify_read, "verr %%ax; setz %%al; movzbl %%al, %%eax")
ATTEMPT(verify_write, "verw %%ax; setz %%al; movzbl %%al, %%eax")
ATTEMPT(load_limit, "lsl %%ax, %%rdx; movl $-2, %%eax; cmovzq %%rdx, %%rax")

static const struct { const char *name; u64 (*attempt)(u64, u64); u64 selector; int vector; } cases[] = {
    { "LLDT of data",                    lldt,         KDATA,         GP }, { "LLDT from the LDT",   lldt,     RING3 | 4,     GP },
    { "LLDT, not present",               lldt,         NO_LDT,        NP }, { "LTR of data",         ltr,      KDATA,         GP },
    { "LTR, busy",                       ltr,          TSS,           GP }, { "LTR from the LDT",    ltr,      RING3 | 4,     GP },
    { "LTR of a null selector",          ltr,          0,             GP }, { "beyond the LDT",      load_ds,  0x80 | 4,      GP },
    { "DS, read-only",                   load_ds,      READ_ONLY | 4, -1 }, { "DS, execute-only",    load_ds,  CODE_ONLY | 4, GP },
    { "DS, not present",                 load_ds,      ABSENT | 4,    NP }, { "DS, an LDT",          load_ds,  LDT_SLOT,      GP },
    { "SS, a null selector",             load_ss,      0,             -1 }, { "SS, null, of ring 3", load_ss,  3,             GP },
    { "FS, a null selector",             load_fs,      3,             -1 }, { "SS, read-only",       load_ss,  READ_ONLY | 4, GP },
    { "SS, not present",                 load_ss,      ABSENT | 4,    SS }, { "SS, of ring 3",       load_ss,  RING3 | 7,     GP },
    { "SS, RPL 3",                       load_ss,      WRITABLE | 7,  GP }, { "SS, a null selector", load_ss,  0,             -1 },
    { "far return to data",              far_jump,     WRITABLE | 4,  GP }, { "to a null selector",  far_jump, 0,             GP },
    { "far call of a TSS, 64-bit mode",  far_call,     TSS,           GP }, { "of a gate to data",   far_call, GATE | 4,      GP },
};

static void describe(void) {
    struct core *core = this_core();
    u64 at = (u64)ldt;
    memcpy(big_gdt, core->gdt, sizeof core->gdt);
    big_gdt[LDT_SLOT / 8] = (sizeof ldt - 1) | (at & 0xffffff) << 16 | 0x82ull << 40 | (at >> 24 & 0xff) << 56;
    big_gdt[LDT_SLOT / 8 + 1] = at >> 32;
    big_gdt[NO_LDT / 8] = 0x0000020000000067;
    ldt[READ_ONLY / 8] = 0x00cf91000000ffff;
    ldt[WRITABLE / 8] = 0x00cf93000000ffff;
    ldt[ABSENT / 8] = 0x00cf13000000ffff;
    ldt[CODE_ONLY / 8] = 0x00af99000000ffff;
    ldt[RING3 / 8] = 0x00cff3000000ffff;
    ldt[GATE / 8] = (u64)KDATA << 16 | 0x8cull << 40;
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof big_gdt - 1, (u64)big_gdt };
    asm volatile("lgdt %0" :: "m"(pointer));
}

// A segment of ring 0 is null in ring 3, but in 64-bit mode what was its base stays.
static u64 word = 0x123456789abcdef;
extern u8 reads_fs[];
asm("reads_fs: movl %fs, %ecx; testl %ecx, %ecx; jnz 1f; movabsq $0x123456789abcdef, %rax; cmpq %rax, %fs:0; jne 1f; ud2; 1: hlt");

static void check_base(void) {
    pml4[1] = pml4[0] | PTE_W | PTE_U;
    asm volatile("movl %0, %%fs" :: "r"(KDATA));
    wrmsr(0xc0000100, user_address(&word));
    CHECK(user_probe(reads_fs).vector == UD);
}

int main(void) {
    check_base();
    describe();
    CHECK(probe(lldt, LDT_SLOT, 0).vector < 0);
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = probe(cases[i].attempt, cases[i].selector, cases[i].attempt == far_jump ? KCODE : KDATA);
        print("%s: vector %d, error %#lx\n", cases[i].name, o.vector, o.error);
        CHECK(o.vector == cases[i].vector);
        u64 named = cases[i].attempt == far_call && (cases[i].selector & 4) ? KDATA : cases[i].selector & ~3ul;
        CHECK(o.vector < 0 || o.error == named);
        asm volatile("movl %0, %%ds; movl %0, %%es" :: "r"(0));
    }
    CHECK(probe(verify_read, READ_ONLY | 4, 0).value == 1 && probe(verify_write, READ_ONLY | 4, 0).value == 0);
    CHECK(probe(verify_write, WRITABLE | 4, 0).value == 1 && probe(verify_read, CODE_ONLY | 4, 0).value == 0);
    CHECK(probe(load_limit, WRITABLE | 4, 0).value == 0xffffffff && probe(load_limit, 0x80 | 4, 0).value == 0xfffffffe);
    CHECK(ldt[WRITABLE / 8] >> 40 & 1);                         // accessed
    CHECK(probe(lldt, 0, 0).vector < 0);
    CHECK(probe(load_ds, WRITABLE | 4, 0).vector == GP);        // no LDT: beyond its limit
    print("descriptors are looked at\n");
    return 0;
}
