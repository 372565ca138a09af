// What the three tell each other in the window "board": the one thing that all were granted.
#pragma once
#include "../lib/check.h"

struct board { u32 ready, done; u64 tables; };  // the last: where the victim's page tables are

#define UNUSED 300                              // an entry of them that translates nothing

#define READY 2                                 // kernels besides the rogue

static inline struct board *board_window(void) {
    struct window w = window("board");
    CHECK(w.base && w.size >= sizeof(struct board));
    return (struct board *)w.base;
}

// What was done to the kernel that includes this: interrupts nobody was invited to send.
static u32 uninvited, nmis;

static void on_uninvited(struct trapframe *frame) {
    if (frame->vector == NMI)
        nmis++;
    else {
        uninvited++;
        lapic_eoi();
    }
    print("an interrupt that nobody was invited to send: vector %lu\n", frame->vector);
}

static inline void expect_nobody(void) {
    trap_handler(NMI, on_uninvited);
    for (u32 vector = 32; vector < VECTOR_SPURIOUS; vector++)
        trap_handler(vector, on_uninvited);
}

// Memory that must stay as it was written: 64 KiB of pattern, 3 MiB above where the kernel was loaded.
#define SECRET       0x300000
#define SECRET_WORDS 8192

static inline u64 *secret_memory(void) { return direct(physical((void *)(KERNBASE + IMAGE)) + SECRET); }

static inline u64 secret_word(u64 i) { return (kernel_id + 1) * 0x9e3779b97f4a7c15 + i; }

static u64 seen[SECRET_WORDS];                  // what we wrote, or last saw

static inline void secret_write(void) {
    for (u64 i = 0; i < SECRET_WORDS; i++)
        secret_memory()[i] = seen[i] = (kernel_id + 1) * 0x9e3779b97f4a7c15 + i;
}

// The number of words that somebody changed since the last look.
static inline u32 secret_changes(void) {
    volatile u64 *secret = secret_memory();
    u32 changes = 0;
    for (u64 i = 0; i < SECRET_WORDS; i++)
        if (secret[i] != seen[i]) {
            seen[i] = secret[i];
            print("my memory at %#lx was changed to %#lx\n", physical(&secret[i]), seen[i]);
            changes++;
        }
    return changes;
}
