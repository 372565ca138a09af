// Random numbers for the kernels that act at random: the same ones for the same seed, on every machine.
#pragma once
#include "../lib/check.h"

static u64 dice_state;                          // never 0

static inline u64 dice(void) {                  // xorshift64*
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return dice_state * 0x2545f4914f6cdd1d;
}

static inline u64 below(u64 limit) { return (dice() >> 11) % limit; }
