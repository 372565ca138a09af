// What both sides know: one channel each way in the window "table", and a doorbell each way.
#pragma once
#include "../lib/channel.h"
#include "../lib/check.h"

struct table { struct channel to_pong, to_ping; };

static void awake(struct trapframe *frame) { lapic_eoi(); }

// Map the table and let the peer's doorbell wake us.
static struct table *sit_down(const char *peer) {
    struct window w = window("table");
    struct doorbell from = doorbell_from(peer);
    CHECK(w.base && w.size >= sizeof(struct table) && from.granted && doorbell_to(peer).granted);
    trap_handler(from.vector, awake);
    return (struct table *)w.base;
}

// Sleep until there is a message.
static struct message next(struct channel *channel) {
    struct message message;
    while (!channel_receive(channel, &message))
        wait_interrupt();
    return message;
}
