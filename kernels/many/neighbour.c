// One of many kernels in a circle. It greets the neighbour on its right, passes on what comes from the left,
// and so sends a token with everybody's mark on it once round. Claims that its own token comes home with all
// marks, and that everybody else's passed by, each once.
#include "../lib/channel.h"
#include "../lib/check.h"

static void awake(struct trapframe *frame) { lapic_eoi(); }

// The peer's name follows `name=` on the command line.
static const char *option_text(const char *name, char *out, u32 size) {
    u64 length = strlen(name);
    const char *at = command_line;
    while (*at && !(memcmp(at, name, length) == 0 && at[length] == '='))
        at++;
    for (at += length + 1; *at && *at != ' ' && size > 1; size--)
        *out++ = *at++;
    *out = 0;
    return at;
}

static struct channel *channel(const char *name) {
    struct window w = window(name);
    CHECK(w.base && w.size >= sizeof(struct channel));
    return (struct channel *)w.base;
}

static struct channel *to_right, *from_left;
static struct doorbell right;

static void pass_on(struct message token) {
    token.word[1] += kernel_id + 1;             // our mark
    token.word[2]++;
    while (!channel_send(to_right, &token))
        pause();                                // full: the neighbour is busy with it
    ring(right);
}

static struct message receive(void) {
    struct message token;
    while (!channel_receive(from_left, &token))
        wait_interrupt();
    return token;
}

int main(void) {
    char left_name[32], right_name[32];
    u64 kernels = option_number("kernels", 0), home = 0;
    option_text("left", left_name, sizeof left_name);
    option_text("right", right_name, sizeof right_name);
    to_right = channel(kernel_name);            // a window is named after its sender
    from_left = channel(left_name);
    right = doorbell_to(right_name);
    trap_handler(doorbell_from(left_name).vector, awake);
    pass_on((struct message){ { kernel_id } });
    for (u64 n = 0; n < kernels; n++) {
        struct message token = receive();
        if (token.word[0] != kernel_id) {
            pass_on(token);
            continue;
        }
        CHECK(token.word[2] == kernels && token.word[1] == kernels * (kernels + 1) / 2);
        home++;
    }
    CHECK(home == 1);
    print("my token is home; it has seen all %lu kernels\n", kernels);
    return 0;
}
