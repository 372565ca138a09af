// Sends `count` messages to the kernel "receiver", which other senders reach at the same time. With die=n
// it dies between claiming a slot and publishing it, at message n. With patience=ms it ends with code 2 if
// the ring stays full for that long.
#include "ring.h"

static void fill(struct slot *slot, u32 sender, u64 n) {
    u64 *words = (u64 *)slot->buffer;
    words[0] = n;
    for (u64 i = 1; i < message_size(n) / 8; i++)
        words[i] = message_word(sender, n, i);
}

static void die(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) nothing = { 0, 0 };
    asm volatile("lidt %0; int3" :: "m"(nothing));
}

static struct slot *claim(struct ring *shared, u64 *full) {
    u64 patience = option_number("patience", 0) * (tsc_hz / 1000), start = rdtsc();
    struct slot *slot;
    for (; !(slot = ring_claim(shared)); ++*full) {
        if (patience && rdtsc() - start > patience) {
            print("the ring has been full for too long\n");
            exit_kernel(2);
        }
        pause();
    }
    return slot;
}

int main(void) {
    struct ring *shared = ring_window();
    struct doorbell bell = doorbell_to("receiver");
    CHECK(bell.granted);
    u64 count = option_number("count", 200), full = 0;
    for (u64 n = 0; n < count; n++) {
        struct slot *slot = claim(shared, &full);
        if (n + 1 == option_number("die", 0))
            die();
        slot->sender_cpu = lapic_id();
        slot->type = TYPE_USER;
        fill(slot, lapic_id(), n);
        store_release(&slot->data_size, message_size(n));
        ring(bell);
    }
    print("%lu messages sent; found the ring full %lu times\n", count, full);
    return 0;
}
