// SYSCALL and SYSRET: what they load, the mask, single steps across both, and from compatibility mode to CSTAR.
// SDM vol. 2B, SYSCALL and SYSRET; AMD64 vol. 3 for compatibility mode, where Intel's processors have #UD.
#include "user.h"

enum { TF = 0x100, UCODE32_SLOT = UDATA - 8 };                 // SYSRET to 32-bit code takes STAR 63:48 as it is
extern u8 steps_in[], after_return[], entry64[], entry32[], calls32[], after_return32[];

// R11 as the caller's flags, with TF: the step comes behind SYSRET, in ring 3, and not at the entry, where TF is masked.
asm("steps_in: pushfq; orq $0x100, (%rsp); popfq; syscall; after_return: nop; hlt\n"
    "entry64: incl entries; movq %r11, seen; movq %rcx, back; sysretq\n"
    ".code32\n"
    "calls32: pushfl; orl $0x100, (%esp); popfl; syscall; after_return32: nop; hlt\n"
    ".code64\n"
    "entry32: incl entries; movq %rcx, back; sysretl\n");
u32 entries;
u64 seen, back;
static u64 stepped_at[4], stepped_cs[4], steps;

static void on_debug(struct trapframe *frame) {
    stepped_at[steps & 3] = frame->rip;
    stepped_cs[steps & 3] = frame->cs;
    if (++steps == 2)
        frame->rflags &= ~(u64)TF;
}

static u64 run32(u64 code, u64 stack) {
    asm volatile("pushq %0; pushq %1; pushq $2; pushq %2; pushq %3; iretq"
                 :: "r"((u64)UDATA | 3), "r"(stack), "r"((u64)UCODE32_SLOT | 3), "r"(code) : "memory");
    return 0;
}

static u64 set_sce(u64 on, u64 unused) {
    wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~(u64)EFER_SCE) | on);
    return 0;
}
static u64 call_in(u64 a, u64 b) { asm volatile("syscall" ::: "rcx", "r11", "memory"); return 0; }

int main(void) {
    trap_handler(DB, on_debug);
    probe(set_sce, 0, 0);
    CHECK(probe(call_in, 0, 0).vector == UD);
    probe(set_sce, EFER_SCE, 0);
    this_core()->gdt[UCODE32_SLOT / 8] = 0x00cffb000000ffff;
    wrmsr(MSR_STAR, (u64)UCODE32_SLOT << 48 | (u64)KCODE << 32);
    wrmsr(MSR_LSTAR, (u64)entry64);
    wrmsr(0xc0000083, (u64)entry32);
    wrmsr(MSR_SFMASK, TF | FLAGS_IF);
    struct outcome o = user_probe(steps_in);
    CHECK(o.vector == GP && entries == 1 && seen & TF && back == user_address(after_return));
    CHECK(steps == 2 && stepped_at[0] == user_address(after_return) && stepped_cs[0] == (UCODE | 3));
    CHECK(stepped_at[1] == user_address(after_return) + 1);

    pml4[0] |= PTE_U | PTE_W;                                   // 32-bit code lies in the first 4 GiB
    entries = steps = 0;
    o = probe(run32, physical(calls32), physical(user_stack + 64));
    CHECK(o.vector == GP && entries == 1 && back == physical(after_return32));
    CHECK(steps == 2 && stepped_at[0] == physical(after_return32) && stepped_cs[0] == (UCODE32_SLOT | 3));
    print("system calls, step by step\n");
    return 0;
}
