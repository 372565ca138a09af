// `count` messages of 64 bytes one way, polled, by the protocol with the used bit: "send" sends, the other takes.
// Claims that they arrive whole and in order.
#include "../urpc/urpc.h"

static void send(struct end end, u64 count) {
    for (u64 n = 0; n < count; n++) {
        u64 payload[7] = { n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6 };
        while (!used_send(&end, payload))
            pause();
    }
}

static void take(struct end end, u64 count) {
    u64 payload[7];
    for (u64 n = 0; n < count; n++) {
        while (!used_receive(&end, payload))
            pause();
        CHECK(payload[0] == n && payload[6] == n + 6);
    }
}

int main(void) {
    u64 count = option_number("count", 1000);
    struct lines *lines = urpc_lines();
    print("go\n");
    if (option("send"))
        send(urpc_end(lines->used, 0), count);
    else
        take(urpc_end(lines->used, 1), count);
    return 0;
}
