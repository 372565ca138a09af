// A kernel with four cores, three of which it starts itself.
#include "showcase.h"

#define LAST   20000
#define PRIMES 2262                             // below LAST

static u32 primes, next;

static bool is_prime(u32 n) {
    for (u32 divisor = 2; divisor * divisor <= n; divisor++)
        if (n % divisor == 0)
            return false;
    return n > 1;
}

static void work(void) {
    for (u32 n; (n = fetch_add(&next, 1)) < LAST; )
        if (is_prime(n))
            fetch_add(&primes, 1);
}

int main(void) {
    wait_turn(plaza(), CROWD);
    print("I have %u cores, and wake the others as on any board: INIT, SIPI, real mode, long mode.\n", madt_cores);
    CHECK(smp_together(work));
    CHECK(primes == PRIMES);
    print("Together we found the %u primes below %u.\n", primes, LAST);
    end_turn(plaza());
    wait_turn(plaza(), THE_END);
    return 0;
}
