// A kernel that only counts, while its neighbour brings up cores. Claims that it is undisturbed: each round
// of the same work takes the same time, no interrupt but its own timer's comes, its memory stays as it was.
#include "../lib/check.h"

#define ROUNDS 40
#define WORDS  4096

static u64 field[WORDS];
static u32 ticks, strays;

static void tick(struct trapframe *frame) {
    ticks++;
    lapic_eoi();
}

static void stray(struct trapframe *frame) {
    strays++;
    lapic_eoi();
}

static u64 one_round(void) {
    u64 start = rdtsc();
    for (u32 i = 0; i < WORDS; i++)
        field[i]++;
    return rdtsc() - start;
}

int main(void) {
    for (u32 v = 32; v < VECTOR_SPURIOUS; v++)
        trap_handler(v, v == 0x40 ? tick : stray);
    lapic_timer(LVT_PERIODIC | 0x40, 20000);
    u64 shortest = ~0ull, longest = 0;
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 time = one_round();
        shortest = time < shortest ? time : shortest;
        longest = time > longest ? time : longest;
        wait_interrupt();
    }
    for (u32 i = 0; i < WORDS; i++)
        CHECK(field[i] == ROUNDS);
    print("%u ticks, %u strays; a round took %lu to %lu cycles\n", ticks, strays, shortest, longest);
    CHECK(strays == 0 && ticks >= ROUNDS && longest - shortest <= shortest / 100);
    return 0;
}
