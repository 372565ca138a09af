// A virtio network device with one pair of queues, polled. Each frame is one descriptor. Virtio 1.1, 5.1.
#pragma once
#include "virtio.h"

#define VIRTIO_NET 0x1041
#define FRAME_HEAD 26
#define FRAME_DATA 1500

struct frame { u8 header[12], to[6], from[6]; u16 type; u8 data[FRAME_DATA + 4]; } __attribute__((packed));

struct nic {
    struct virtio device;
    struct virtq receive, transmit;
    volatile u16 *receive_bell, *transmit_bell;
    struct frame in[QUEUE_SIZE], out;
    u16 taken;                                  // of the frames that have come
    u8 mac[6];
};

static inline bool nic_open(struct nic *n, struct virtio device) {
    n->device = device;
    pci_write16(device.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    virtio_begin(device, 0);
    n->receive_bell = virtio_queue(device, 0, &n->receive);
    n->transmit_bell = virtio_queue(device, 1, &n->transmit);
    n->transmit.available.flags = 1;            // no interrupt: who sends, waits
    for (u32 i = 0; i < 6; i++)
        n->mac[i] = device.device[i];
    for (u16 i = 0; i < QUEUE_SIZE; i++) {
        virtio_describe(&n->receive, i, physical(&n->in[i]), sizeof n->in[i], VIRTIO_WRITE);
        virtio_put(&n->receive, i);
    }
    n->taken = 0;
    bool ready = virtio_ready(device);
    *n->receive_bell = 0;
    return ready;
}

// Send `out`, with so many bytes of data, and wait until it has left.
static inline void nic_send(struct nic *n, const u8 *to, u32 length) {
    memset(n->out.header, 0, sizeof n->out.header);
    memcpy(n->out.to, to, 6);
    memcpy(n->out.from, n->mac, 6);
    n->out.type = 0xb588;                       // 0x88b5: for experiments, IEEE 802
    virtio_describe(&n->transmit, 0, physical(&n->out), FRAME_HEAD + length, 0);
    virtio_put(&n->transmit, 0);
    *n->transmit_bell = 1;
    while (load_acquire(&n->transmit.used.index) != n->transmit.available.index)
        pause();
}

// The next frame that has come, and its bytes of data; NULL if there is none.
static inline struct frame *nic_next(struct nic *n, u32 *length) {
    if (load_acquire(&n->receive.used.index) == n->taken)
        return NULL;
    u16 slot = n->taken % QUEUE_SIZE;
    *length = n->receive.used.ring[slot].length - FRAME_HEAD;
    return &n->in[n->receive.used.ring[slot].id];
}

// Done with it: there is room for another.
static inline void nic_done(struct nic *n) {
    virtio_put(&n->receive, n->receive.used.ring[n->taken++ % QUEUE_SIZE].id);
    *n->receive_bell = 0;
}
