// Sends numbered messages to pong, one at a time, and sleeps until each has come back. Claims that every
// answer is the one to its question, and that all `count` of them arrive.
#include "pingpong.h"

int main(void) {
    struct table *table = sit_down("pong");
    struct doorbell bell = doorbell_to("pong");
    u64 count = option_number("count", 1000), start = rdtsc();
    for (u64 n = 1; n <= count; n++) {
        struct message ball = { { n, count - n } };
        CHECK(channel_send(&table->to_pong, &ball));
        ring(bell);
        ball = next(&table->to_ping);
        CHECK(ball.word[0] == n && ball.word[1] == ~n);
    }
    u64 time = rdtsc() - start;
    print("%lu round trips, %lu cycles each\n", count, time / count);
    return 0;
}
