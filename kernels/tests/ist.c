// A gate with an IST number switches stacks, also at ring 0; one without does not. SDM vol. 3A, 7.14.5.
#include "../lib/check.h"

static u64 inside, outside;

static void note_stack(struct trapframe *frame) {
    inside = (u64)frame;
    outside = frame->rsp;
}

static bool on(u64 stack, u64 top) { return stack < top && stack >= top - PAGE; }

int main(void) {
    u64 ist_nmi = this_core()->tss.ist[2 * (IST_NMI - 1)] | (u64)this_core()->tss.ist[2 * IST_NMI - 1] << 32;
    trap_handler(0x50, note_stack);
    asm volatile("int $0x50");
    CHECK(on(inside, core_stack(0)) || inside < outside);
    CHECK(outside - inside < 512);
    idt[0x50].ist = IST_NMI;
    asm volatile("int $0x50");
    CHECK(on(inside, ist_nmi) && !on(outside, ist_nmi));
    print("interrupt stacks switch where asked\n");
    return 0;
}
