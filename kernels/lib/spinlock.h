// Mutual exclusion between the cores of one kernel, or of several over a shared window.
#pragma once
#include "x86.h"

struct spinlock { volatile u32 held; };

static inline void acquire(struct spinlock *lock) {
    while (exchange(&lock->held, 1))
        while (lock->held)
            pause();
}

static inline void release(struct spinlock *lock) { store_release(&lock->held, 0); }
