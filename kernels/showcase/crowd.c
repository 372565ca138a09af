// A kernel with four cores, three of which it starts itself.
#include "showcase.h"
#include "../lib/primes.h"

#define LAST   20000

static u32 primes, next;

static void work(void) {
    for (u32 n; (n = fetch_add(&next, 1)) < LAST; )
        if (is_prime(n))
            fetch_add(&primes, 1);
}

int main(void) {
    wait_turn(plaza(), CROWD);
    print("I have %u cores, and wake the others as on any board: INIT, SIPI, real mode, long mode.\n", madt_cores);
    CHECK(smp_together(work));
    CHECK(primes == PRIMES_BELOW_20000);
    print("Together we found the %u primes below %u.\n", primes, LAST);
    end_turn(plaza());
    wait_turn(plaza(), THE_END);
    return 0;
}
