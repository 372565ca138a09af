// Answers `count` questions by each protocol. Claims that they come in order, whole, and none is missing.
#include "urpc.h"

static void serve(struct protocol protocol, struct end end, u64 count) {
    u64 heard = 0, answered = 0, payload[7];
    while (answered < count) {
        compose(payload, answered, ANSWER);
        if (answered < heard && protocol.send(&end, payload))
            answered++;
        else if (protocol.receive(&end, payload))
            CHECK(intact(payload, heard++, QUESTION));
        else
            pause();
    }
    print("%s: %lu questions in order\n", protocol.name, count);
}

int main(void) {
    struct lines *lines = urpc_lines();
    u64 count = option_number("count", 2000);
    serve((struct protocol){ "epoch bit", epoch_send, epoch_receive }, urpc_end(lines->epoch, 1), count);
    serve((struct protocol){ "used bit", used_send, used_receive }, urpc_end(lines->used, 1), count);
    return 0;
}
