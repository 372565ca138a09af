// Each exception arrives with the vector and the error code that the manual gives it. SDM vol. 3A, 7.15.
#include "../lib/check.h"

#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { asm volatile(code : "+a"(a) : "b"(b), "d"(0ul) : "memory"); return a; }
ATTEMPT(divide, "divq %%rbx")
ATTEMPT(undefined, "ud2")
ATTEMPT(read, "movq (%%rax), %%rax")
ATTEMPT(write, "movq %%rbx, (%%rax)")
ATTEMPT(jump, "call *%%rax")
ATTEMPT(load_ds, "movl %%eax, %%ds")
ATTEMPT(load_ss, "movl %%eax, %%ss")
ATTEMPT(breakpoint, "int3")
ATTEMPT(x87_off, "movq %%cr0, %%rax; orq $8, %%rax; movq %%rax, %%cr0; fnop")

static const struct { const char *name; u64 (*attempt)(u64, u64); u64 a; int vector; u64 error; } cases[] = {
    { "divide by 0",       divide,       1,                  DE, 0 },
    { "undefined",         undefined,    0,                  UD, 0 },
    { "breakpoint",        breakpoint,   0,                  BP, 0 },
    { "non-canonical",     read,         0x800000000000,     GP, 0 },
    { "beyond the GDT",    load_ds,      0x78,               GP, 0x78 },
    { "absent segment",    load_ds,      SPARE,              NP, SPARE },
    { "absent stack",      load_ss,      SPARE,              SS, SPARE },
    { "read, no page",     read,         0x200000000000,     PF, 0 },
    { "write, no page",    write,        0x200000000000,     PF, 2 },
    { "write, read-only",  write,        (u64)cases,         PF, 3 },
    { "fetch, NX page",    jump,         (u64)cores,         PF, 0x11 },
    { "x87 switched off",  x87_off,      0,                  NM, 0 },
};

int main(void) {
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = probe(cases[i].attempt, cases[i].a, 0);
        print("%s: vector %d, error %#lx\n", cases[i].name, o.vector, o.error);
        CHECK(o.vector == cases[i].vector && o.error == cases[i].error);
        CHECK(o.vector != PF || o.address == cases[i].a);
    }
    return 0;
}
