// More of #DB: INT1, single steps over what the machine does by hand, the shadow of MOV SS, DR7.GD, and the debug
// registers that are not there. SDM vol. 3B, 19.2 and 19.3.
#include "../lib/check.h"

#define READ_DR(n)        ({ u64 v; asm volatile("movq %%dr" #n ", %0" : "=r"(v)); v; })
#define WRITE_DR(n, v)    asm volatile("movq %0, %%dr" #n :: "r"((u64)(v)))
enum { SINGLE_STEP = 0x4000, DETECTED = 0x2000, DETECT = 0x2000, NOTHING = 0xffff0ff0, DE_BIT = 8 };

static u64 steps, dr6[16], at[16];
extern u8 after_int1[], after_prefix[], stepped[], shadowed[], shadowed_int1[], detected[];

static void on_debug(struct trapframe *frame) {
    if (steps < 16) {
        dr6[steps] = READ_DR(6);
        at[steps] = frame->rip;
    }
    steps++;
    WRITE_DR(6, NOTHING);
}

static u64 write_dr4(u64 value, u64 unused) { asm volatile(".byte 0x0f, 0x23, 0xe0" :: "a"(value)); return 0; }   // from RAX
static u64 read_dr5(u64 a, u64 b) { u64 v; asm volatile(".byte 0x0f, 0x21, 0xe8" : "=a"(v)); return v; }
static u64 write_dr6(u64 value, u64 unused) { WRITE_DR(6, value); return 0; }
static u64 write_dr7(u64 value, u64 unused) { WRITE_DR(7, value); return 0; }
static u64 write_dr1(u64 value, u64 unused) { WRITE_DR(1, value); return READ_DR(1); }

#define STEP  "pushfq; orq $0x100, (%%rsp); popfq;"
#define WALK  "pushfq; andq $~0x100, (%%rsp); popfq;"

static void restart(void) {
    steps = 0;
    WRITE_DR(6, NOTHING);
}

int main(void) {
    trap_handler(DB, on_debug);
    restart();
    asm volatile(".byte 0xf1; after_int1: nop");
    CHECK(steps == 1 && at[0] == (u64)after_int1 && dr6[0] == NOTHING);
    asm volatile(".byte 0x2e, 0x2e, 0xf1; after_prefix: nop");
    CHECK(steps == 2 && at[1] == (u64)after_prefix);
    restart();
    asm volatile(STEP "stepped: xorl %%eax, %%eax; cpuid; rdtsc; movl $0x1b, %%ecx; rdmsr; movl $0x3fd, %%edx; inb %%dx, %%al;"
                 WALK ::: "rax", "rbx", "rcx", "rdx", "memory", "cc");
    u64 expected[] = { 2, 4, 6, 11, 13, 18, 19, 20 };
    CHECK(steps == 10);                                         // two more for what pops TF away
    for (u32 i = 0; i < 8; i++)
        CHECK(at[i] == (u64)stepped + expected[i] && dr6[i] == (NOTHING | SINGLE_STEP));
    restart();
    asm volatile("movl %%ss, %%eax;" STEP "movl %%eax, %%ss; nop; shadowed: nop;" WALK ::: "rax", "memory", "cc");
    CHECK(steps == 5 && at[0] == (u64)shadowed);            // none between MOV SS and what follows
    restart();
    asm volatile("movl %%ss, %%eax;" STEP "movl %%eax, %%ss; .byte 0xf1; shadowed_int1: nop;" WALK ::: "rax", "memory", "cc");
    CHECK(at[0] == (u64)shadowed_int1 && dr6[0] == NOTHING && dr6[1] == (NOTHING | SINGLE_STEP) && steps == 5);

    restart();
    WRITE_DR(7, DETECT | 0x400);
    asm volatile("detected: movq %%dr0, %%rax" ::: "rax");      // again after the handler, as GD is off there
    CHECK(steps == 1 && at[0] == (u64)detected && dr6[0] == (NOTHING | DETECTED) && READ_DR(7) == 0x400);

    write_cr4(read_cr4() & ~(u64)DE_BIT);
    CHECK(probe(write_dr4, 0xffff0ff1, 0).vector < 0 && READ_DR(6) == 0xffff0ff1);   // DR4 is DR6, DR5 is DR7
    CHECK(probe(read_dr5, 0, 0).value == 0x400);
    write_cr4(read_cr4() | DE_BIT);
    CHECK(probe(write_dr4, 0, 0).vector == UD && probe(read_dr5, 0, 0).vector == UD);
    CHECK(probe(write_dr6, 1ul << 32, 0).vector == GP && probe(write_dr7, 1ul << 32, 0).vector == GP);
    CHECK(probe(write_dr1, 1ul << 46, 0).value == 1ul << 46);
    WRITE_DR(6, 0);
    CHECK(READ_DR(6) == NOTHING);
    print("traps come where they should\n");
    return 0;
}
