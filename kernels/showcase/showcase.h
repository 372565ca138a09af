// The five of the showcase meet in the window "plaza".
#pragma once
#include "../lib/channel.h"
#include "../lib/check.h"

struct plaza {
    struct channel question, answer;            // alice to bob, bob to alice
    u64 diary;                                  // where alice keeps it
    u64 lives;                                  // of phoenix
    u64 turns;                                  // acts of the play that are over
};

static inline struct plaza *plaza(void) {
    struct window w = window("plaza");
    CHECK(w.base && w.size >= sizeof(struct plaza));
    return (struct plaza *)w.base;
}

// The kernels run all the time, but take turns to show something: act n begins when n acts are over.
#define CROWD   1
#define PHOENIX 2
#define MALLORY 3
#define THE_END 4

static inline void wait_turn(struct plaza *plaza, u64 act) {
    while (load_acquire(&plaza->turns) < act)
        pause();
}

static inline void end_turn(struct plaza *plaza) { fetch_add(&plaza->turns, 1); }

static inline void awake(struct trapframe *frame) { lapic_eoi(); }

static inline u64 home(void) { return physical((void *)(KERNBASE + IMAGE)); }

// A message is a line of up to 63 characters.
static inline void say(struct channel *channel, struct doorbell bell, const char *text) {
    struct message message = { { 0 } };
    memcpy(&message, text, strlen(text) < 63 ? strlen(text) : 63);
    CHECK(channel_send(channel, &message));
    ring(bell);
}

static inline struct message hear(struct channel *channel) {
    struct message message;
    while (!channel_receive(channel, &message))
        wait_interrupt();
    return message;
}
