// A channel in a shared window: one direction, one sender, one receiver. Memory that starts as zeros is an
// empty channel. Each side writes only its own counter, and each counter has a cache line to itself.
#pragma once
#include "x86.h"

#define CHANNEL_SLOTS 32                        // a power of two

struct message { u64 word[8]; };                // one cache line

struct channel {
    u64 sent __attribute__((aligned(64)));      // written by the sender
    u64 received __attribute__((aligned(64)));  // written by the receiver
    struct message slot[CHANNEL_SLOTS];
};

// False if the channel is full.
static inline bool channel_send(struct channel *channel, const struct message *message) {
    u64 sent = channel->sent;
    if (sent - load_acquire(&channel->received) == CHANNEL_SLOTS)
        return false;
    channel->slot[sent % CHANNEL_SLOTS] = *message;
    store_release(&channel->sent, sent + 1);
    return true;
}

// False if the channel is empty.
static inline bool channel_receive(struct channel *channel, struct message *message) {
    u64 received = channel->received;
    if (load_acquire(&channel->sent) == received)
        return false;
    *message = channel->slot[received % CHANNEL_SLOTS];
    store_release(&channel->received, received + 1);
    return true;
}
