// Reads blocks of 4 MiB from a virtio disk into memory at `at`, `count` times, polled: what a device's DMA costs.
#include "../lib/check.h"
#include "../devices/virtio.h"

#define BLOCK (4u << 20)

static struct virtq queue;
static struct { u32 type, reserved; u64 sector; } header;
static u8 status;

int main(void) {
    struct virtio disk = virtio_open(VIRTIO_BLOCK, &queue);
    CHECK(disk.common);
    virtio_describe(&queue, 0, physical(&header), sizeof header, VIRTIO_NEXT);
    virtio_describe(&queue, 1, option_number("at", 0), BLOCK, VIRTIO_NEXT | VIRTIO_WRITE);
    virtio_describe(&queue, 2, physical(&status), 1, VIRTIO_WRITE);
    for (u64 n = 0, count = option_number("count", 1); n < count; n++) {
        virtio_offer(disk, &queue, 0);
        while (load_acquire(&queue.used.index) != queue.available.index)
            pause();
        CHECK(!status);
    }
    return 0;
}
