// Takes the messages of all senders in its interrupt handler. Claims that each sender's come in order, whole,
// none missing. With wedge it claims the opposite: that the ring stands still for good at a slot whose
// sender died, while others go on filling it up.
#include "ring.h"

#define SENDERS 8

static struct ring *shared;
static u32 apic_id[SENDERS], senders, interrupts;
static u64 next[SENDERS], total;

static u32 index_of(u32 sender) {
    for (u32 i = 0; i < senders; i++)
        if (apic_id[i] == sender)
            return i;
    CHECK(senders < SENDERS);
    apic_id[senders] = sender;
    return senders++;
}

static void take(const struct slot *slot, u64 size) {
    u32 i = index_of(slot->sender_cpu);
    u64 n = next[i]++;
    const u64 *words = (const u64 *)slot->buffer;
    CHECK(slot->type == TYPE_USER && words[0] == n && size == message_size(n));
    for (u64 j = 1; j < size / 8; j++)
        CHECK(words[j] == message_word(slot->sender_cpu, n, j));
    total++;
}

static void on_message(struct trapframe *frame) {
    interrupts++;
    lapic_eoi();
    ring_drain(shared, take);
}

static void on_timer(struct trapframe *frame) { lapic_eoi(); }

// The slot at the tail is claimed, never published, and the ring behind it is full.
static bool wedged(void) {
    u32 tail = shared->tail;
    return tail == position(shared->head + 1) && shared->slot[position(tail)].data_size == 0;
}

int main(void) {
    shared = ring_window();
    u64 count = option_number("count", 200) * option_number("senders", 3);
    trap_handler(option_number("vector", 0x40), on_message);
    trap_handler(0x50, on_timer);               // only the wedged ring needs it: nobody rings then
    lapic_timer(LVT_PERIODIC | 0x50, 100000);
    ring_drain(shared, take);                   // what came before we listened
    while (total < count && !(option("wedge") && wedged()))
        wait_interrupt();
    print("%lu messages of %u senders in %u interrupts\n", total, senders, interrupts);
    for (u32 i = 0; i < senders; i++)
        print("APIC ID %u sent %lu, in order\n", apic_id[i], next[i]);
    CHECK(option("wedge") == wedged());
    return 0;
}
