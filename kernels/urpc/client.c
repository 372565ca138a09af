// Sends `count` questions by each protocol, as many at once as fit, and takes the answers. Claims that they
// come in order, whole, and none is missing.
#include "urpc.h"

static void converse(struct protocol protocol, struct end end, u64 count) {
    u64 asked = 0, answered = 0, payload[7], start = rdtsc();
    while (answered < count) {
        compose(payload, asked, QUESTION);
        if (asked < count && protocol.send(&end, payload))
            asked++;
        else if (protocol.receive(&end, payload))
            CHECK(intact(payload, answered++, ANSWER));
        else
            pause();
    }
    print("%s: %lu questions answered, %lu cycles each, %u bare acknowledgements\n",
          protocol.name, count, (rdtsc() - start) / count, end.acks);
}

int main(void) {
    struct lines *lines = urpc_lines();
    u64 count = option_number("count", 2000);
    converse((struct protocol){ "epoch bit", epoch_send, epoch_receive }, urpc_end(lines->epoch, 0), count);
    converse((struct protocol){ "used bit", used_send, used_receive }, urpc_end(lines->used, 0), count);
    return 0;
}
