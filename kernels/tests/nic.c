// A network between two kernels. One asks, by a frame to all; the other answers whoever asked. `times` says how often.
// Virtio 1.1, 5.1.
#include "../lib/check.h"
#include "../devices/nic.h"

static struct nic nic;
static const u8 everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static u8 expected(u32 number, u32 i) { return number * 7 + i; }
static u32 size(u32 number) { return 46 + number * 97 % (FRAME_DATA - 45); }

static struct frame *await(u32 *length) {
    struct frame *frame;
    while (!(frame = nic_next(&nic, length)))
        pause();
    return frame;
}

static void ask(u32 times) {
    u8 answerer[6];
    for (u32 number = 0; number < times; number++) {
        for (u32 i = 0; i < size(number); i++)
            nic.out.data[i] = expected(number, i);
        nic_send(&nic, number ? answerer : everybody, size(number));
        u32 length;
        struct frame *frame = await(&length);
        CHECK(length == size(number) && !memcmp(frame->to, nic.mac, 6) && !frame->header[0] && frame->header[10] == 1);
        for (u32 i = 0; i < length; i++)
            CHECK(frame->data[i] == (u8)~expected(number, i));
        memcpy(answerer, frame->from, 6);
        nic_done(&nic);
    }
    print("%d answers\n", times);
}

static void answer(u32 times) {
    for (u32 number = 0; number < times; number++) {
        u32 length;
        struct frame *frame = await(&length);
        for (u32 i = 0; i < length; i++)
            nic.out.data[i] = ~frame->data[i];
        u8 to[6];
        memcpy(to, frame->from, 6);
        nic_done(&nic);
        nic_send(&nic, to, length);
    }
}

int main(void) {
    struct virtio device = virtio_find(VIRTIO_NET);
    CHECK(device.common && nic_open(&nic, device) && device.device[6] == 1);
    u32 times = option_number("times", 1);
    if (option("asks"))
        ask(times);
    else
        answer(times);
    return 0;
}
