// #DB: single step by TF, a breakpoint on code and one on data by DR7. SDM vol. 3B, 19.2.
#include "../lib/check.h"

static volatile u32 steps;
static u64 dr6, at;
static volatile u64 watched;
extern u8 here[];

#define READ_DR6()        ({ u64 v; asm volatile("movq %%dr6, %0" : "=r"(v)); v; })
#define WRITE_DR(n, v)    asm volatile("movq %0, %%dr" #n :: "r"((u64)(v)))

static void on_debug(struct trapframe *frame) {
    steps++;
    dr6 = READ_DR6() & 0xe00f;
    at = frame->rip;
    WRITE_DR(6, 0xffff0ff0);
    frame->rflags |= 0x10000;                                   // RF: past a code breakpoint
}

int main(void) {
    trap_handler(DB, on_debug);
    asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
    CHECK(steps == 5 && dr6 == 0x4000);                         // after each but the first POPFQ
    steps = 0;
    WRITE_DR(0, here);
    WRITE_DR(7, 0x401);                                         // L0, on execution
    asm volatile("nop; here: nop");
    CHECK(steps == 1 && (dr6 & 1) && at == (u64)here);
    WRITE_DR(0, &watched);
    WRITE_DR(7, 0x90401);                                       // L0, on writes, eight bytes: LEN 10, R/W 01
    watched = 1;
    WRITE_DR(7, 0x400);
    CHECK(steps == 2 && watched == 1 && (dr6 & 1));
    print("debug exceptions where asked\n");
    return 0;
}
