// One core modifies code that another runs, as Linux's text_poke, alternatives and static keys do: an INT3 first, an
// interrupt that everybody takes, the rest of the instruction, an interrupt, its first byte, an interrupt. No call meets
// half an instruction, and none the old one once the last interrupt was taken. SDM vol. 3A, 10.1.3.
#include "../lib/check.h"

enum { SYNC = 0x50, ROUNDS = 500, INT3 = 0xcc, JUMP = 0xe9 };

extern u8 number[], number_end[], key[], key_end[], key_on[];
asm(".balign 64\n"
    "number: movl $0, %eax; number_end: ret\n"
    ".balign 64\n"
    "key: .byte 0x0f, 0x1f, 0x44, 0, 0; key_end: xorl %eax, %eax; ret\n"
    "key_on: movl $1, %eax; ret\n");

static volatile u32 begun, done, acknowledged, calls, broken, over;
static volatile u64 resume_at, old_value;

// The alias by which data is written; the code itself is mapped read-only.
static u8 *writable(const u8 *code) { return direct(physical(code)); }

static void on_sync(struct trapframe *frame) {                  // IRET serialises
    fetch_add(&acknowledged, 1);
    lapic_eoi();
}

// Whoever meets the INT3 does what the old instruction did.
static void on_break(struct trapframe *frame) {
    fetch_add(&broken, 1);
    CHECK(frame->rip == (u64)number + 1 || frame->rip == (u64)key + 1);
    frame->rax = old_value;
    frame->rip = resume_at;
}

static void synchronise(void) {
    acknowledged = 0;
    lapic_ipi(madt_apic_id[1], SYNC);
    while (!acknowledged)
        pause();
}

static void poke(const u8 *code, const u8 *instruction, u64 instead) {
    volatile u8 *bytes = writable(code);
    resume_at = instead;
    bytes[0] = INT3;
    synchronise();
    for (u32 i = 1; i < 5; i++)
        bytes[i] = instruction[i];
    synchronise();
    bytes[0] = instruction[0];
    synchronise();
}

static void runner(void *unused) {
    sti();
    while (!over) {
        u32 least = load_acquire(&done), value = ((u32 (*)(void))number)(), most = load_acquire(&begun);
        CHECK(least <= value && value <= most);
        u32 on_before = load_acquire(&done), on = ((u32 (*)(void))key)(), on_after = load_acquire(&begun);
        CHECK(on == (on_before & 1) || on_before != on_after);
        calls++;
    }
}

int main(void) {
    trap_handler(SYNC, on_sync);
    trap_handler(BP, on_break);
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], runner, NULL));
    for (u32 round = 1; round <= ROUNDS; round++) {
        u8 load[5] = { 0xb8 }, nop[5] = { 0x0f, 0x1f, 0x44 }, jump[5] = { JUMP };
        u32 distance = key_on - key_end;
        memcpy(load + 1, &round, 4);
        memcpy(jump + 1, &distance, 4);
        store_release(&begun, round);
        old_value = round - 1;
        poke(number, load, (u64)number_end);
        poke(key, round & 1 ? jump : nop, round & 1 ? (u64)key_end : (u64)key_on);
        store_release(&done, round);
        CHECK(((u32 (*)(void))number)() == round && ((u32 (*)(void))key)() == (round & 1));
        for (u32 seen = calls; calls < seen + 3; )              // quiet rounds between
            pause();
    }
    over = 1;
    CHECK(broken);
    print("%u instructions modified under way\n", 2 * ROUNDS);
    return 0;
}
