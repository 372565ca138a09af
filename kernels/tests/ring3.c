// Ring 3: SYSCALL and SYSRET, INT through a gate of DPL 3, and the faults of what ring 3 may not do.
#include "user.h"

extern u8 calls[], halts[], touches_kernel[], syscall_entry[];
asm("calls: movl $41, %edi; syscall; movq %rax, %rdi; int $0x80; hlt\n"
    "halts: hlt\n"
    "touches_kernel: movq $0xffffffff80200000, %rax; movb %al, (%rax)\n"
    "syscall_entry: movq %r11, seen_flags; movq %cs, %rax; movq %rax, seen_cs\n"
    "leaq 1(%rdi), %rax; sysretq");
u64 seen_flags, seen_cs;
static u64 answer, caller;

static void int80(struct trapframe *frame) {
    answer = frame->rdi;
    caller = frame->cs;
}

int main(void) {
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)(UDATA - 8) << 48 | (u64)KCODE << 32);
    wrmsr(MSR_LSTAR, (u64)syscall_entry);
    wrmsr(MSR_SFMASK, FLAGS_IF);
    idt[0x80].type = GATE_USER;
    trap_handler(0x80, int80);
    struct outcome o = user_probe(calls);
    CHECK(o.vector == GP && o.error == 0);                      // the HLT at the end
    CHECK(seen_cs == KCODE && (seen_flags & FLAGS_IF) && answer == 42 && caller == (UCODE | 3));
    CHECK(user_probe(halts).vector == GP);
    o = user_probe(touches_kernel);
    CHECK(o.vector == PF && o.error == 7 && o.address == KERNBASE + IMAGE);
    print("ring 3 calls in and is kept out\n");
    return 0;
}
