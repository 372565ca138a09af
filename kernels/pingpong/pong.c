// Answers each of ping's messages. Claims that they come in order and that none is missing.
#include "pingpong.h"

int main(void) {
    struct table *table = sit_down("ping");
    struct doorbell bell = doorbell_to("ping");
    u64 seen = 0, left;
    do {
        struct message ball = next(&table->to_pong);
        CHECK(ball.word[0] == ++seen);
        left = ball.word[1];
        ball.word[1] = ~ball.word[0];
        CHECK(channel_send(&table->to_ping, &ball));
        ring(bell);
    } while (left);
    print("answered %lu\n", seen);
    return 0;
}
