// Reads blocks of 4 KiB from a virtio disk, `count` times, one at a time, asleep in HLT until the interrupt. The same
// image on mksim and on a PC: the queue's message is entry 0 of the MSI-X table.
#include "../lib/check.h"
#include "../devices/virtio.h"

#define VECTOR 0x52
#define BLOCK  4096

static struct virtq queue;
static struct { u32 type, reserved; u64 sector; } header;
static u8 data[BLOCK] __attribute__((aligned(BLOCK))), status;

static void on_message(struct trapframe *frame) { lapic_eoi(); }

static void take_messages(struct virtio disk) {
    u32 at = pci_capability(disk.function, 0x11);
    volatile u32 *table = direct(pci_read(disk.function, PCI_BASE + 4 * (pci_read(disk.function, at + 4) & 7)) & ~0xfu);
    trap_handler(VECTOR, on_message);
    pci_write16(disk.function, at + 2, 0x8000);
    table[0] = MSI_ADDRESS | lapic_id() << 12;
    table[1] = 0;
    table[2] = VECTOR;
    table[3] = 0;
    disk.common->queue_select = 0;
    disk.common->entry = 0;
}

int main(void) {
    struct virtio disk = virtio_open(VIRTIO_BLOCK, &queue);
    CHECK(disk.common);
    take_messages(disk);
    u64 blocks = *(volatile u64 *)disk.device / (BLOCK / 512);
    virtio_describe(&queue, 0, physical(&header), sizeof header, VIRTIO_NEXT);
    virtio_describe(&queue, 1, physical(data), BLOCK, VIRTIO_NEXT | VIRTIO_WRITE);
    virtio_describe(&queue, 2, physical(&status), 1, VIRTIO_WRITE);
    print("go\n");
    for (u64 n = 0, count = option_number("count", 1); n < count; n++) {
        header.sector = n * 7 % blocks * (BLOCK / 512);
        virtio_offer(disk, &queue, 0);
        while (load_acquire(&queue.used.index) != queue.available.index)
            wait_interrupt();
        CHECK(!status && ((u32 *)data)[0] == header.sector);
    }
    return 0;
}
