// A kernel with four cores, three of which it starts itself.
#include "showcase.h"
#include "../lib/spinlock.h"

#define LAST 100000

static struct spinlock lock;
static u64 sum;                                 // lock must be held
static u32 next_part, finished;

static void work(void *unused) {
    for (u64 part; (part = fetch_add(&next_part, 1000)) < LAST; ) {
        u64 mine = 0;
        for (u64 i = part + 1; i <= part + 1000; i++)
            mine += i;
        acquire(&lock);
        sum += mine;
        release(&lock);
    }
    fetch_add(&finished, 1);
}

int main(void) {
    print("I am %u cores. I wake my others as on any board: INIT, SIPI, real mode, long mode.\n", madt_cores);
    for (u32 i = 1; i < madt_cores; i++)
        CHECK(smp_start(madt_apic_id[i], work, NULL));
    work(NULL);
    while (load_acquire(&finished) < madt_cores)
        pause();
    CHECK(sum == (u64)LAST * (LAST + 1) / 2);
    print("Together we added 1 to %u: %lu.\n", LAST, sum);
    fetch_add(&plaza()->finished, 1);
    return 0;
}
