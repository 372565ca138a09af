// Writes sector after sector, and says so of each as soon as the disk has taken it. For whoever wants to kill it.
#include "../lib/check.h"
#include "../devices/virtio.h"

#define SECTOR 512

static struct virtq queue;
static struct { u32 type, reserved; u64 sector; } header = { .type = 1 };
static u32 data[SECTOR / 4];
static u8 status;

int main(void) {
    struct virtio disk = virtio_open(VIRTIO_BLOCK, &queue);
    CHECK(disk.common);
    virtio_describe(&queue, 0, physical(&header), sizeof header, VIRTIO_NEXT);
    virtio_describe(&queue, 1, physical(data), sizeof data, VIRTIO_NEXT);
    virtio_describe(&queue, 2, physical(&status), 1, VIRTIO_WRITE);
    for (; header.sector < *(volatile u64 *)disk.device; header.sector++) {
        for (u32 i = 0; i < SECTOR / 4; i++)
            data[i] = header.sector * 0x10001 + i;
        virtio_offer(disk, &queue, 0);
        while (load_acquire(&queue.used.index) != queue.available.index)
            pause();
        CHECK(!status);
        print("sector %lu\n", header.sector);
    }
    return 0;
}
