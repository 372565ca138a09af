// Still more of #DB: single steps over STI and HLT and in ring 3, what DR6 keeps and what it does not, and a data
// breakpoint that MOV SS holds back until INT1, INT 1 and INT3 have come. SDM vol. 3B, 19.2 and 19.3; vol. 3A, 7.8.3.
#include "user.h"

#define READ_DR(n)        ({ u64 v; asm volatile("movq %%dr" #n ", %0" : "=r"(v)); v; })
#define WRITE_DR(n, v)    asm volatile("movq %0, %%dr" #n :: "r"((u64)(v)))
enum { SINGLE_STEP = 0x4000, NOTHING = 0xffff0ff0, RF = 0x10000, TF = 0x100, TICK = 0x50, NONE = 0x400 };
enum { G1_WRITE_4 = 0x00d00408, G1_ACCESS_4 = 0x00f00408, G2_EXECUTE = 0x420 };

static u64 steps, dr6[16], at[16], last, ticks, breaks, broke_at;
static volatile u64 watched;
extern u8 after_sti[], halted[], here[], written[], after_int1[], after_int[], after_int3[], user_steps[], user_stepped[];

#define STEP  "pushfq; orq $0x100, (%%rsp); popfq;"
#define WALK  "pushfq; andq $~0x100, (%%rsp); popfq;"
asm("user_steps: pushfq; orq $0x100, (%rsp); popfq; user_stepped: nop; movl %eax, %eax; ud2");

static void on_debug(struct trapframe *frame) {
    if (steps < 16) {
        dr6[steps] = READ_DR(6);
        at[steps] = frame->rip;
    }
    steps++;
    frame->rflags |= RF;
    if (steps == last)
        frame->rflags &= ~(u64)TF;
    WRITE_DR(6, 0);
}

static void on_break(struct trapframe *frame) { breaks++; broke_at = frame->rip; }
static void tick(struct trapframe *frame) { ticks++; lapic_eoi(); }

static void restart(u64 kept) {
    steps = breaks = 0;
    WRITE_DR(6, kept);
}

static void over_sti_and_hlt(void) {
    restart(0);
    asm volatile(STEP "sti; after_sti: nop; cli;" WALK ::: "memory", "cc");
    CHECK(steps == 6 && at[0] == (u64)after_sti && at[1] == (u64)after_sti + 1 && dr6[0] == (NOTHING | SINGLE_STEP));
    trap_handler(TICK, tick);
    lapic_timer(TICK, 100000);
    restart(0);
    asm volatile(STEP "sti; hlt; halted: cli;" WALK ::: "memory", "cc");
    CHECK(steps == 6 && at[0] == (u64)halted - 1 && at[1] == (u64)halted && dr6[1] == (NOTHING | SINGLE_STEP));
    while (!ticks)
        wait_interrupt();
}

static void in_ring3(void) {
    restart(0);
    last = 2;
    CHECK(user_probe(user_steps).vector == UD);
    CHECK(steps == 2 && at[0] == user_address(user_stepped) + 1 && at[1] == user_address(user_stepped) + 3);
    CHECK(dr6[0] == (NOTHING | SINGLE_STEP) && dr6[1] == (NOTHING | SINGLE_STEP));
}

static void what_dr6_keeps(void) {
    last = 0;
    WRITE_DR(2, here);
    WRITE_DR(7, G2_EXECUTE);
    restart(SINGLE_STEP | 2);
    asm volatile("here: nop");
    CHECK(steps == 1 && at[0] == (u64)here && dr6[0] == (NOTHING | SINGLE_STEP | 4));    // B0 to B3 are new, BS stays
    WRITE_DR(1, &watched);
    WRITE_DR(7, G1_WRITE_4);
    restart(SINGLE_STEP);
    asm volatile("movl $42, %0; written: nop" : "=m"(watched) :: "memory");
    CHECK(steps == 1 && at[0] == (u64)written && dr6[0] == (NOTHING | SINGLE_STEP | 2));
    restart(0);
    watched = 43;
    CHECK(steps == 1 && dr6[0] == (NOTHING | 2));
}

static void held_back(void) {
    WRITE_DR(7, NONE);
    watched = KDATA;
    WRITE_DR(7, G1_ACCESS_4);
    restart(0);
    asm volatile("movw %0, %%ss; nop; nop" :: "m"(watched));
    CHECK(steps == 1 && dr6[0] == (NOTHING | 2));
    restart(0);
    asm volatile("movw %0, %%ss; .byte 0x2e, 0x2e, 0xf1; after_int1: nop" :: "m"(watched));
    CHECK(steps == 1 && at[0] == (u64)after_int1);
    restart(0);
    asm volatile("movw %0, %%ss; int $1; after_int: nop" :: "m"(watched));
    CHECK(steps == 2 && at[1] == (u64)after_int);
    restart(0);
    asm volatile("movw %0, %%ss; .byte 0x2e, 0x2e, 0x2e, 0xcc; after_int3: nop" :: "m"(watched));
    CHECK(steps == 1 && breaks == 1 && broke_at == (u64)after_int3);
    WRITE_DR(7, NONE);
}

int main(void) {
    trap_handler(DB, on_debug);
    trap_handler(BP, on_break);
    over_sti_and_hlt();
    in_ring3();
    what_dr6_keeps();
    held_back();
    print("steps and breakpoints keep their order\n");
    return 0;
}
