// Work that has a known result and can be shared out.
#pragma once
#include "kernel.h"

#define PRIMES_BELOW_20000 2262

static inline bool is_prime(u32 n) {
    for (u32 divisor = 2; divisor * divisor <= n; divisor++)
        if (n % divisor == 0)
            return false;
    return n > 1;
}
