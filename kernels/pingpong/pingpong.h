// What both sides know: one channel each way in the window "table", and a doorbell each way.
#pragma once
#include "../lib/channel.h"
#include "../lib/check.h"

struct table { struct channel to_pong, to_ping; u32 seated; };

static volatile u32 rung;

static void awake(struct trapframe *frame) { rung++; lapic_eoi(); }

// Map the table and let the peer's doorbell wake us.
static struct table *sit_down(const char *peer) {
    struct window w = window("table");
    struct doorbell from = doorbell_from(peer);
    CHECK(w.base && w.size >= sizeof(struct table) && from.granted && doorbell_to(peer).granted);
    trap_handler(from.vector, awake);
    struct table *table = (struct table *)w.base;
    fetch_add(&table->seated, 1);
    while (load_acquire(&table->seated) < 2)    // before that nobody would hear the bell
        pause();
    return table;
}

// Sleep until the bell rings: once for each message.
static struct message next(struct channel *channel) {
    struct message message;
    while (!rung)
        wait_interrupt();
    CHECK(--rung == 0 && channel_receive(channel, &message));
    return message;
}
