// #DB: single step by TF, a breakpoint on code and one on data by DR7. SDM vol. 3B, 19.2.
#include "../lib/check.h"

static volatile u32 steps;
static u64 dr6, at;
static volatile u64 watched;
extern u8 here[], stored[], loaded[], copied[];

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
    u64 seen = watched;
    CHECK(steps == 1);
    asm volatile("movb $1, 3(%0); stored: nop" :: "r"(&watched) : "memory");
    CHECK(steps == 2 && watched == 1 << 24 && (dr6 & 15) == 1 && at == (u64)stored);
    WRITE_DR(2, (u64)&watched + 4);
    WRITE_DR(7, 0xf000420);                                     // G2, on reads and writes, four bytes
    asm volatile("incq %%rcx; movq (%1), %0; loaded: nop" : "=r"(seen) : "r"(&watched) : "rcx", "memory");
    CHECK(steps == 3 && seen == 1 << 24 && (dr6 & 15) == 4 && at == (u64)loaded);
    u64 from[4] = { 1, 2, 3, 4 }, to[4], *source = from, *target = to, count = 4;
    WRITE_DR(2, &to[2]);
    asm volatile("rep movsq; copied: nop" : "+S"(source), "+D"(target), "+c"(count) :: "memory");
    CHECK(steps == 4 && to[3] == 4 && at <= (u64)copied);
    WRITE_DR(7, 0x400);
    to[2] = watched = 0;
    CHECK(steps == 4);
    print("debug exceptions where asked\n");
    return 0;
}
