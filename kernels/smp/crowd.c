// One kernel on all its cores: it starts the others with INIT and SIPI, and they share out a sum. Claims
// that every core of the MADT came, that the parts were handed out once each, and that the sum is right.
#include "../lib/check.h"
#include "../lib/spinlock.h"

#define PARTS  64
#define PART   1000                             // numbers in each

static struct spinlock lock;
static u64 total, parts_done[NCPU];             // lock must be held for total
static u32 next_part, finished;

static void work(void *unused) {
    for (u32 part; (part = fetch_add(&next_part, 1)) < PARTS; parts_done[this_core()->number]++) {
        u64 sum = 0;
        for (u64 i = 1; i <= PART; i++)
            sum += (u64)part * PART + i;
        acquire(&lock);
        total += sum;
        release(&lock);
    }
    fetch_add(&finished, 1);
}

int main(void) {
    for (u32 i = 1; i < madt_cores; i++)
        CHECK(smp_start(madt_apic_id[i], work, NULL));
    work(NULL);
    while (load_acquire(&finished) < madt_cores)
        pause();
    u64 parts = 0, last = PARTS * PART;
    for (u32 i = 0; i < madt_cores; i++) {
        print("core %u (APIC ID %u) did %lu parts\n", i, madt_apic_id[i], parts_done[i]);
        parts += parts_done[i];
    }
    CHECK(parts == PARTS && total == last * (last + 1) / 2);
    print("1 + ... + %lu = %lu, on %u cores\n", last, total, madt_cores);
    return 0;
}
