// One kernel on all its cores: it starts the others with INIT and SIPI, and they share out a search for
// primes. Claims that every core of the MADT came, that each part was searched once, and that the count is
// the one in the books.
#include "../lib/check.h"
#include "../lib/primes.h"
#include "../lib/spinlock.h"

#define PARTS  100
#define PART   200                              // numbers in each: all below 20000

static struct spinlock lock;
static u32 primes;                              // lock must be held
static u32 parts_done[NCPU], next_part;

static void work(void) {
    for (u32 part; (part = fetch_add(&next_part, 1)) < PARTS; parts_done[this_core()->number]++) {
        u32 found = 0;
        for (u32 n = part * PART; n < (part + 1) * PART; n++)
            found += is_prime(n);
        acquire(&lock);
        primes += found;
        release(&lock);
    }
}

int main(void) {
    CHECK(smp_together(work));
    u32 parts = 0;
    for (u32 i = 0; i < madt_cores; i++) {
        print("core %u (APIC ID %u) searched %u parts\n", i, madt_apic_id[i], parts_done[i]);
        parts += parts_done[i];
    }
    CHECK(parts == PARTS && primes == PRIMES_BELOW_20000);
    print("%u primes below %u, found by %u cores\n", primes, PARTS * PART, madt_cores);
    return 0;
}
