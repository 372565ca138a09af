// Work that can be counted: links of a chain of hashes. Each kernel notes in the window "progress" how far it
// is, so that others, and its own next life, can see it.
#pragma once
#include "../lib/check.h"

#define KERNELS 8
#define LINKS   200                             // the whole of the work
#define ROUNDS  1000                            // per link

struct progress { u64 lives, links, chain; } __attribute__((aligned(64)));

static inline struct progress *progress_window(void) {
    struct window w = window("progress");
    CHECK(w.base && w.size >= KERNELS * sizeof(struct progress));
    return (struct progress *)w.base;
}

static inline u64 next_link(u64 chain) {
    for (u32 i = 0; i < ROUNDS; i++)
        chain = (chain ^ chain >> 29) * 0xbf58476d1ce4e5b9 + i;
    return chain;
}

// One more link; noted link by link, so that a life that ends here has lost nothing.
static inline void work(struct progress *mine) {
    mine->chain = next_link(mine->chain);
    store_release(&mine->links, mine->links + 1);
}

static inline u64 whole_chain(void) {
    u64 chain = 0;
    for (u32 i = 0; i < LINKS; i++)
        chain = next_link(chain);
    return chain;
}
