// What ring 0 may not do either: fetch from user pages, go where no address is, set what XCR0 has not.
#include "user.h"

#define ATTEMPT(name, code) static u64 name(u64 a, u64 b) { asm volatile(code : "+a"(a) : "c"(b), "d"(0ul) : "memory"); return a; }
ATTEMPT(call, "call *%%rax")
ATTEMPT(set_cr4, "mov %%rax, %%cr4")
ATTEMPT(set_xcr, "xsetbv")
ATTEMPT(get_xcr, "xgetbv")
ATTEMPT(set_msr_to_no_address, "mov $0x8000, %%edx; wrmsr")

enum { OSXSAVE = 1 << 18, SMEP = 1 << 20 };

extern u8 returns[];
asm("returns: ret");

static void refused(const char *what, u64 (*attempt)(u64, u64), u64 a, u64 b, int vector, u64 error) {
    struct outcome o = probe(attempt, a, b);
    print("%s: vector %d, error %#lx\n", what, o.vector, o.error);
    CHECK(o.vector == vector && o.error == error);
}

int main(void) {
    pml4[1] = pml4[0] | PTE_W | PTE_U;
    CHECK(probe(call, user_address(returns), 0).vector < 0);
    CHECK(probe(set_cr4, read_cr4() | SMEP, 0).vector < 0);
    refused("SMEP, fetch from a user page", call, user_address(returns), 0, PF, 0x11);
    refused("jump to no address", call, 1ull << 47, 0, GP, 0);
    refused("LSTAR of no address", set_msr_to_no_address, 0, MSR_LSTAR, GP, 0);
    refused("XSETBV before OSXSAVE", set_xcr, 3, 0, UD, 0);
    CHECK(probe(set_cr4, read_cr4() | OSXSAVE, 0).vector < 0);
    CHECK(probe(set_xcr, 3, 0).vector < 0 && probe(get_xcr, 0, 0).value == 3);
    refused("XCR0 without x87", set_xcr, 2, 0, GP, 0);
    refused("XCR1", set_xcr, 1, 1, GP, 0);
    print("ring 0 has its bounds\n");
    return 0;
}
