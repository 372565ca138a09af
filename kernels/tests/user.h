// Ring 3 for the claims: all memory once more, at USER, open to ring 3. Code there must not care where it runs.
#pragma once
#include "../lib/check.h"

#define USER (1ull << 39)                       // entry 1 of the top level

static u64 user_stack[64];

static inline u64 user_address(const void *p) { return USER + physical(p); }

static u64 user_run(u64 code, u64 unused) { user_enter(code, user_address(user_stack + 64)); }

// Run code in ring 3 until it faults; say how.
static inline struct outcome user_probe(const void *code) {
    pml4[1] = pml4[0] | PTE_W | PTE_U;
    return probe(user_run, user_address(code), 0);
}
