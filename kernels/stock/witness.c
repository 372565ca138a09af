// A kernel of our own among strangers: it keeps a field of words and the time, and sleeps in between. Claims
// that in `seconds` nobody touched the field, no interrupt but its own timer's came, and none came late.
#include "../lib/check.h"

#define VECTOR_TICK  0x40
#define PERIOD_US    100000
#define LATE_US      10
#define WORDS        32768

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

static u64 word(u32 i) { return (i + 1) * 0x9e3779b97f4a7c15; }

static void look_after_field(void) {
    for (u32 i = 0; i < WORDS; i++)
        CHECK(field[i] == word(i));
}

int main(void) {
    u64 us = tsc_hz / 1000000, latest = 0;
    u32 rounds = option_number("seconds", 1) * (1000000 / PERIOD_US);
    for (u32 i = 0; i < WORDS; i++)
        field[i] = word(i);
    for (u32 v = 32; v < VECTOR_SPURIOUS; v++)
        trap_handler(v, v == VECTOR_TICK ? tick : stray);
    lapic_timer(LVT_PERIODIC | VECTOR_TICK, PERIOD_US * us);
    u64 start = rdtsc();
    while (ticks < rounds) {
        wait_interrupt();
        u64 late = rdtsc() - start - ticks * PERIOD_US * us;
        latest = late > latest ? late : latest;
        look_after_field();
    }
    print("%u ticks in %lu ms, the latest by %lu ns, %u strays, %u words as they were\n", ticks,
          (rdtsc() - start) / us / 1000, latest * 1000 / us, strays, WORDS);
    CHECK(!strays && latest < LATE_US * us);
    return 0;
}
