// What the three kernels agree on: sectors whose every word tells which it is, and the count of those that the disk
// has taken, in a window.
#pragma once
#include "../lib/check.h"
#include "../devices/nic.h"

#define SECTOR  512
#define WORDS   (SECTOR / sizeof(u64))
#define SECTORS 100                             // after so many, the owner dies
#define PARTING 0xdead                          // first word of the heir's frame; of the owner's, a sector's number

struct estate { u64 acknowledged; };

static inline struct estate *estate_window(void) {
    struct window w = window("estate");
    CHECK(w.base && w.size >= sizeof(struct estate));
    return (struct estate *)w.base;
}

static inline u64 word_of(u64 sector, u64 at) { return (sector + 1) * 0x9e3779b97f4a7c15 + at; }

struct disk {
    struct virtio device;
    struct virtq queue;
    struct { u32 type, reserved; u64 sector; } header;
    u64 data[WORDS];
    u8 status;
};

static inline void disk_open(struct disk *d, struct virtio device) {
    d->device = device;
    pci_write16(device.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    CHECK(device.common->status == 0 && virtio_start(device, &d->queue));
}

// Ask for a sector to be read (0) or written (1).
static inline void disk_ask(struct disk *d, u32 type, u64 sector) {
    d->header.type = type;
    d->header.sector = sector;
    virtio_describe(&d->queue, 0, physical(&d->header), sizeof d->header, VIRTIO_NEXT);
    virtio_describe(&d->queue, 1, physical(d->data), SECTOR, VIRTIO_NEXT | (type ? 0 : VIRTIO_WRITE));
    virtio_describe(&d->queue, 2, physical(&d->status), 1, VIRTIO_WRITE);
    virtio_offer(d->device, &d->queue, 0);
}

static inline void disk_wait(struct disk *d) {
    while (load_acquire(&d->queue.used.index) != d->queue.available.index)
        pause();
    CHECK(!d->status);
}

static const u8 everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
