// The message ring of Linux multikernel (include/linux/multikernel.h, kernel/multikernel/ipi.c): many senders,
// one receiver. A slot is claimed by a compare-and-exchange of head and published by the release store of its
// size; an interrupt follows each message, and one interrupt drains up to a whole ring.
#pragma once
#include "../lib/check.h"

#define RING_SLOTS    64                        // a power of two; 63 can be full
#define SLOT_DATA     4096
#define TYPE_USER     0x4000

struct slot {
    u64 sender_cpu;                             // APIC ID
    u32 type;
    u64 data_size;                              // 0: empty, or claimed and not yet filled
    u8 buffer[SLOT_DATA];
};

struct ring {
    u32 head;                                   // written by senders
    u32 tail;                                   // written by the receiver
    struct slot slot[RING_SLOTS];
};

// Indices are masked on every use: the other side can write anything there.
static inline u32 position(u32 index) { return index & (RING_SLOTS - 1); }

// Claim a slot; NULL if the ring is full.
static inline struct slot *ring_claim(struct ring *ring) {
    for (;;) {
        u32 head = load_acquire(&ring->head), next = position(head + 1);
        if (next == position(load_acquire(&ring->tail)))
            return NULL;
        if (compare_exchange(&ring->head, &head, next))
            return &ring->slot[position(head)];
    }
}

// Take up to a ring full of messages; stops at a slot that is claimed and not published.
static inline u32 ring_drain(struct ring *ring, void (*dispatch)(const struct slot *, u64 size)) {
    u32 count = 0;
    for (; count < RING_SLOTS; count++) {
        u32 tail = position(ring->tail);
        struct slot *slot = &ring->slot[tail];
        u64 size = tail == position(load_acquire(&ring->head)) ? 0 : load_acquire(&slot->data_size);
        if (!size)
            break;
        dispatch(slot, size <= SLOT_DATA ? size : SLOT_DATA);
        store_release(&slot->data_size, 0);
        store_release(&ring->tail, position(tail + 1));
    }
    return count;
}

static inline struct ring *ring_window(void) {
    struct window w = window("ring");
    CHECK(w.base && w.size >= sizeof(struct ring));
    return (struct ring *)w.base;
}

// Message n of a sender: its number, then bytes that follow from both, of a length that varies.
static inline u64 message_size(u64 n) { return 16 + n * 97 % 400 * 8; }
static inline u64 message_word(u32 sender, u64 n, u64 i) { return (sender + 1) * 0x9e3779b97f4a7c15 ^ (n << 20) ^ i; }
