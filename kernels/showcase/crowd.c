// A kernel with four cores, three of which it starts itself.
#include "showcase.h"

#define LAST   20000
#define PRIMES 2262                             // below LAST

static u32 primes, next, ready, finished;

static bool is_prime(u32 n) {
    for (u32 divisor = 2; divisor * divisor <= n; divisor++)
        if (n % divisor == 0)
            return false;
    return n > 1;
}

static void work(void *unused) {
    fetch_add(&ready, 1);
    while (load_acquire(&ready) < madt_cores)
        pause();
    for (u32 n; (n = fetch_add(&next, 1)) < LAST; )
        if (is_prime(n))
            fetch_add(&primes, 1);
    fetch_add(&finished, 1);
}

int main(void) {
    wait_turn(plaza(), CROWD);
    print("I have %u cores, and wake the others as on any board: INIT, SIPI, real mode, long mode.\n", madt_cores);
    for (u32 i = 1; i < madt_cores; i++)
        CHECK(smp_start(madt_apic_id[i], work, NULL));
    work(NULL);
    while (load_acquire(&finished) < madt_cores)
        pause();
    CHECK(primes == PRIMES);
    print("Together we found the %u primes below %u.\n", primes, LAST);
    end_turn(plaza());
    wait_turn(plaza(), THE_END);
    return 0;
}
