// STI and loads of SS hold interrupts back for one instruction, no more and no less. SDM vol. 3A, 7.8.3.
#include "../lib/check.h"

static volatile u32 hits;

static void hit(struct trapframe *frame) {
    hits++;
    lapic_eoi();
}

#define WITH_PENDING(code) ({ \
    hits = 0; \
    lapic_send(0, ICR_SELF | 0x50); \
    asm volatile(code ::: "memory", "rax"); \
    u32 during = hits; \
    wait_interrupt_if(!during); \
    during; \
})

static void wait_interrupt_if(bool pending) {
    if (pending)
        wait_interrupt();
}

int main(void) {
    trap_handler(0x50, hit);
    CHECK(WITH_PENDING("cli") == 0);
    CHECK(WITH_PENDING("sti; cli") == 0);
    CHECK(WITH_PENDING("sti; nop; cli") == 1);
    CHECK(WITH_PENDING("sti; pause; cli") == 1);
    CHECK(WITH_PENDING("movl %%ss, %%eax; sti; nop; movl %%eax, %%ss; cli") == 1);
    CHECK(WITH_PENDING("pushfq; popq %%rax; orq $0x200, %%rax; pushq %%rax; popfq; cli") == 1);    // POPFQ has none
    print("one instruction in the shadow\n");
    return 0;
}
