// Addresses that are not canonical: #SS by SS, which RSP and RBP imply, and #GP by all others; where the rest of an
// instruction that pushes or pops names another segment, too. SDM vol. 1, 3.3.7.1, vol. 3A, 7.15 (#SS).
#include "user.h"

#define HOLE  (1ul << 47)
#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { \
    asm volatile("movq %%rsp, %%r12; movq %%rbp, %%r13;" code "; movq %%r12, %%rsp; movq %%r13, %%rbp" \
                 : "+a"(a) : "c"(b) : "memory", "rdx", "rbx", "r8", "r12", "r13"); return a; }
ATTEMPT(load, "movq (%%rax), %%rdx")
ATTEMPT(load_rbp, "movq %%rax, %%rbp; movq (%%rbp), %%rdx")
ATTEMPT(load_rbp_far, "movq %%rax, %%rbp; subq $0x1000, %%rbp; movq 0x1000(%%rbp), %%rdx")
ATTEMPT(load_rbp_index, "movl $8, %%ebx; leaq -64(%%rax), %%rbp; addb $1, (%%rbp, %%rbx, 8)")
ATTEMPT(load_rsp, "movq %%rax, %%rsp; movzwl (%%rsp), %%edx")
ATTEMPT(load_r13, "movq %%rax, %%r8; xchgq %%r8, %%r13; xorl %%edx, (%%r13)")
ATTEMPT(load_index_rbp, "movq %%rax, %%rbp; movl $0, %%ebx; movq (%%rbx, %%rbp), %%rdx")
ATTEMPT(load_fs, "movq %%rax, %%rbp; movq %%fs:(%%rbp), %%rdx")
ATTEMPT(load_ds, "movq %%rax, %%rbp; .byte 0x3e; movq (%%rbp), %%rdx")
ATTEMPT(push, "movq %%rax, %%rsp; pushq %%rdx")
ATTEMPT(pop, "movq %%rax, %%rsp; popq %%rdx")
ATTEMPT(push_there, "pushq (%%rax)")
ATTEMPT(call, "movq %%rax, %%rsp; call 1f; 1:")
ATTEMPT(ret, "movq %%rax, %%rsp; retq")
ATTEMPT(leave, "movq %%rax, %%rbp; leave")
ATTEMPT(flags, "movq %%rax, %%rsp; popfq")
ATTEMPT(iret, "movq %%rax, %%rsp; iretq")
ATTEMPT(ret_there, "pushq %%rax; retq")
ATTEMPT(call_there, "call *%%rax")

static const struct { const char *name; u64 (*attempt)(u64, u64); int vector; } cases[] = {
    { "by RAX",             load,           GP }, { "by RBP",              load_rbp,     SS },
    { "by RBP + 4096",      load_rbp_far,   SS }, { "by RBP + 8 RBX",      load_rbp_index, SS },
    { "by RSP",             load_rsp,       SS }, { "by R13",              load_r13,     GP },
    { "RBP as the index",   load_index_rbp, GP }, { "FS:RBP",              load_fs,      GP },
    { "DS:RBP, ignored",    load_ds,        SS }, { "PUSH",                push,         SS },
    { "POP",                pop,            SS }, { "PUSH from there",     push_there,   GP },
    { "CALL",               call,           SS }, { "RET",                 ret,          SS },
    { "LEAVE",              leave,          SS }, { "POPF",                flags,        SS },
    { "IRET",               iret,           SS }, { "RET to there",        ret_there,    GP },
    { "CALL to there",      call_there,     GP },
};

extern u8 pushes_there[];
asm("pushes_there: movq $0x800000001000, %rsp; pushq $0");

int main(void) {
    for (u32 v = 0; v < 32; v++)                                // RSP is no stack to be faulting on
        idt[v].ist = v == DF || v == NMI || v == MC ? idt[v].ist : IST_NMI;
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = probe(cases[i].attempt, HOLE + 0x1000, 0);
        print("%s: vector %d, error %#lx\n", cases[i].name, o.vector, o.error);
        CHECK(o.vector == cases[i].vector && o.error == 0);
    }
    struct outcome o = user_probe(pushes_there);
    CHECK(o.vector == SS && o.error == 0);
    print("no address is no address\n");
    return 0;
}
