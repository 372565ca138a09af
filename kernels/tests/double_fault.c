// A fault while one is delivered: nested handlers, then #DF on its own stack. SDM vol. 3A, table 7-5.
#include "../lib/check.h"

static u64 undefined(u64 a, u64 b) { asm volatile("ud2"); return 0; }

static u64 read_nowhere(u64 a, u64 b) { return *(volatile u64 *)0x200000000000; }

static u64 lose_stack(u64 a, u64 b) { asm volatile("movq %0, %%rsp; pushq $0" :: "r"(a)); return 0; }

// A handler that faults itself, outside the delivery: an ordinary second exception.
static void fault_again(struct trapframe *frame) {
    trap_handler(UD, NULL);
    read_nowhere(0, 0);
}

int main(void) {
    trap_handler(UD, fault_again);
    CHECK(probe(undefined, 0, 0).vector == PF);                 // benign, then a page fault: one after another
    struct outcome o = probe(lose_stack, 0x200000001000, 0);
    CHECK(o.vector == DF && o.error == 0);                      // page fault with no stack to push it on
    idt[PF].type = 0;
    o = probe(read_nowhere, 0, 0);
    CHECK(o.vector == DF && o.error == 0);                      // page fault, then its gate is absent
    print("nested faults end where the manual says\n");
    return 0;
}
