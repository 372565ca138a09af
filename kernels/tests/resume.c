// RF in the image of RFLAGS on the stack: set by faults, so that a restart does not break again; clear by traps
// and by INT. SDM vol. 3B, 19.3.1.1.
#include "../lib/check.h"

static u64 flags, skip;

static void note(struct trapframe *frame) {
    flags = frame->rflags;
    frame->rip += skip;
}

#define FLAGS_AFTER(bytes, code, ...) ({ \
    skip = bytes; \
    flags = 0; \
    asm volatile(code :: __VA_ARGS__ : "memory", "rdx"); \
    flags >> 16 & 1; \
})

int main(void) {
    trap_handler(UD, note);
    trap_handler(GP, note);
    trap_handler(PF, note);
    trap_handler(NP, note);
    trap_handler(DE, note);
    trap_handler(BP, note);
    trap_handler(0x50, note);
    CHECK(FLAGS_AFTER(2, "ud2", "r"(0)) == 1);
    CHECK(FLAGS_AFTER(3, "mov %0, %%cr4", "a"(~0ul)) == 1);     // #GP by its value
    CHECK(FLAGS_AFTER(2, "movb %%cl, (%0)", "a"(0x200000000000)) == 1);
    CHECK(FLAGS_AFTER(2, "movl %0, %%ds", "a"(SPARE)) == 1);
    CHECK(FLAGS_AFTER(2, "xorl %%edx, %%edx; divl %0", "c"(0), "a"(1)) == 1);
    CHECK(FLAGS_AFTER(0, "int3", "r"(0)) == 0 && flags);
    CHECK(FLAGS_AFTER(0, "int $0x50", "r"(0)) == 0 && flags);
    CHECK(!(read_flags() >> 16 & 1));
    print("faults resume, traps do not\n");
    return 0;
}
