// Barrelfish's user-level RPC, on 64-byte messages of one cache line: seven words of payload, one of header,
// written last. Both protocols that Barrelfish has had:
//
//   epoch bit (technical note 011): the line belongs to its sender for ever. A message is new if its epoch
//     bit is the one of this turn round the buffer; how much the receiver has taken, it says in the headers
//     of its own messages the other way.
//   used bit (ump_impl.h): the receiver clears the bit, and so gives the line back.
//
// Nobody sends an interrupt: both sides poll.
#pragma once
#include "../lib/check.h"

#define SLOTS 32                                // half a page

struct line { u64 payload[7], header; };        // one cache line
struct buffer { volatile struct line line[SLOTS] __attribute__((aligned(64))); };

// Both directions of both protocols, as the window "lines" holds them.
struct lines { struct buffer epoch[2], used[2]; };

// One side of a connection. Counters run on; their values modulo SLOTS are positions.
struct end {
    struct buffer *out, *in;
    u32 sent, acknowledged, received, told;     // told: the last count of received that we sent
    u32 acks;                                   // messages sent only to say it
};

static inline struct end urpc_end(struct buffer pair[2], u32 side) {
    return (struct end){ .out = &pair[side], .in = &pair[!side] };
}

static inline void copy(volatile u64 *to, const volatile u64 *from) {
    for (u32 i = 0; i < 7; i++)
        to[i] = from[i];
}

// Header of the epoch protocol: bit 0 the epoch, bit 1 "only an acknowledgement", high half the count received.
#define ONLY_ACK 2
static inline u64 epoch_of(u32 count) { return !(count / SLOTS & 1); }          // memory starts as 0: begin with 1

static inline void epoch_put(struct end *end, const u64 *payload, u64 flags) {
    volatile struct line *line = &end->out->line[end->sent % SLOTS];
    if (payload)
        copy(line->payload, payload);
    end->told = end->received;
    store_release(&line->header, (u64)end->received << 32 | flags | epoch_of(end->sent));
    end->sent++;
}

// False if the buffer is full. One line is kept for acknowledgements: else both sides could wait for ever.
static inline bool epoch_send(struct end *end, const u64 payload[7]) {
    if (end->sent - end->acknowledged >= SLOTS - 1)
        return false;
    epoch_put(end, payload, 0);
    return true;
}

// False if there is nothing new (or only an acknowledgement).
static inline bool epoch_receive(struct end *end, u64 payload[7]) {
    volatile struct line *line = &end->in->line[end->received % SLOTS];
    u64 header = load_acquire(&line->header);
    if ((header & 1) != epoch_of(end->received))
        return false;
    copy(payload, line->payload);
    end->received++;
    end->acknowledged = header >> 32;
    if (end->received - end->told >= SLOTS / 2 && end->sent - end->acknowledged < SLOTS) {
        epoch_put(end, NULL, ONLY_ACK);         // nothing else to say for a while
        end->acks++;
    }
    return !(header & ONLY_ACK);
}

// Header of the used-bit protocol: bit 0 used, high half a token.
static inline bool used_send(struct end *end, const u64 payload[7]) {
    volatile struct line *line = &end->out->line[end->sent % SLOTS];
    if (load_acquire(&line->header) & 1)
        return false;
    copy(line->payload, payload);
    store_release(&line->header, (u64)end->sent << 32 | 1);
    end->sent++;
    return true;
}

static inline bool used_receive(struct end *end, u64 payload[7]) {
    volatile struct line *line = &end->in->line[end->received % SLOTS];
    u64 header = load_acquire(&line->header);
    if (!(header & 1))
        return false;
    CHECK(header >> 32 == end->received);
    copy(payload, line->payload);
    store_release(&line->header, 0);
    end->received++;
    return true;
}

struct protocol {
    const char *name;
    bool (*send)(struct end *, const u64 payload[7]);
    bool (*receive)(struct end *, u64 payload[7]);
};

static inline struct lines *urpc_lines(void) {
    struct window w = window("lines");
    CHECK(w.base && w.size >= sizeof(struct lines));
    return (struct lines *)w.base;
}

// Word i of message n; `salt` tells question from answer.
static inline u64 word(u64 n, u32 i, u64 salt) { return (n * 7 + i + 1) * 0x9e3779b97f4a7c15 ^ salt; }

static inline void compose(u64 payload[7], u64 n, u64 salt) {
    for (u32 i = 0; i < 7; i++)
        payload[i] = word(n, i, salt);
}

static inline bool intact(const u64 payload[7], u64 n, u64 salt) {
    for (u32 i = 0; i < 7; i++)
        if (payload[i] != word(n, i, salt))
            return false;
    return true;
}
#define QUESTION 0
#define ANSWER   0x5555555555555555
