// Virtio devices on PCI, their queues polled. Virtio 1.1, 2.6 and 4.1.
#pragma once
#include "pci.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_BLOCK  0x1042
#define PCI_CAP_VIRTIO 0x09
enum { VIRTIO_COMMON = 1, VIRTIO_NOTIFY, VIRTIO_ISR, VIRTIO_DEVICE };           // parts of its registers
enum { VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8, VIRTIO_NEEDS_RESET = 64 };  // status
enum { VIRTIO_NEXT = 1, VIRTIO_WRITE = 2, VIRTIO_INDIRECT = 4 };                // of a descriptor
#define VIRTIO_VERSION_1 0x001                  // bit 32
#define VIRTIO_FLUSH     0x200
#define VIRTIO_INDIRECT_TABLES (1u << 28)
#define QUEUE_SIZE 8

struct virtio_common {
    u32 feature_select, features, driver_select, driver_features;
    u16 config_entry, queues;
    u8 status, generation;
    u16 queue_select, size, entry, enable, notify;
    u64 table, driver, device;
};

struct virtq {
    struct { u64 address; u32 length; u16 flags, next; } table[QUEUE_SIZE];
    struct { u16 flags, index, ring[QUEUE_SIZE]; } available;
    struct { u16 flags, index; struct { u32 id, length; } ring[QUEUE_SIZE]; } used __attribute__((aligned(4)));
} __attribute__((aligned(16)));

struct virtio { u64 function; volatile struct virtio_common *common; volatile u8 *notify, *isr, *device; u32 multiplier; };

// Where the capability of a part of a device's registers is, and where those are; 0 if there is none.
static inline u32 virtio_capability(u64 function, u8 kind) {
    u32 at = pci_read8(function, PCI_CAPABILITIES);
    while (at && (pci_read8(function, at) != PCI_CAP_VIRTIO || pci_read8(function, at + 3) != kind))
        at = pci_read8(function, at + 1);
    return at;
}

static inline volatile u8 *virtio_part(u64 function, u8 kind) {
    u32 at = virtio_capability(function, kind);
    u32 bar = PCI_BASE + 4 * pci_read8(function, at + 4);
    return at ? (u8 *)direct(pci_read(function, bar) & ~0xfu) + pci_read(function, at + 8) : NULL;
}

static inline struct virtio virtio_at(u64 function) {
    if (!function)
        return (struct virtio){};
    return (struct virtio){ function, (volatile struct virtio_common *)virtio_part(function, VIRTIO_COMMON),
        virtio_part(function, VIRTIO_NOTIFY), virtio_part(function, VIRTIO_ISR), virtio_part(function, VIRTIO_DEVICE),
        pci_read(function, virtio_capability(function, VIRTIO_NOTIFY) + 16) };
}

static inline struct virtio virtio_find(u16 device) { return virtio_at(pci_find(VIRTIO_VENDOR, device)); }

// Reset, and take version 1 and what of these features (bits 31:0) there is.
static inline void virtio_begin(struct virtio v, u32 features) {
    v.common->status = 0;
    v.common->status = 3;                       // acknowledged, and there is a driver
    for (u32 half = 0; half < 2; half++) {
        v.common->feature_select = v.common->driver_select = half;
        v.common->driver_features = v.common->features & (half ? VIRTIO_VERSION_1 : features);
    }
    v.common->status = 3 | VIRTIO_FEATURES_OK;
}

// Set a queue up; its bell is where the device is told of what is available.
static inline volatile u16 *virtio_queue(struct virtio v, u16 number, struct virtq *queue) {
    memset(queue, 0, sizeof *queue);
    v.common->queue_select = number;
    v.common->size = QUEUE_SIZE;
    v.common->table = physical(queue->table);
    v.common->driver = physical(&queue->available);
    v.common->device = physical(&queue->used);
    v.common->enable = 1;
    return (volatile u16 *)(v.notify + v.multiplier * v.common->notify);
}

// Start; false if the device will not have it.
static inline bool virtio_ready(struct virtio v) {
    v.common->status |= VIRTIO_DRIVER_OK;
    return v.common->status == (3 | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

// All of that for a disk.
static inline bool virtio_start(struct virtio v, struct virtq *queue) {
    virtio_begin(v, VIRTIO_FLUSH);
    virtio_queue(v, 0, queue);
    return virtio_ready(v);
}

// Find a device, let it move memory, and start it with one queue; .common is NULL if it cannot be had.
static inline struct virtio virtio_open(u16 device, struct virtq *queue) {
    struct virtio v = virtio_find(device);
    if (v.common)
        pci_write16(v.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    return v.common && virtio_start(v, queue) ? v : (struct virtio){};
}

static inline void virtio_describe(struct virtq *queue, u16 index, u64 address, u32 length, u16 flags) {
    queue->table[index].address = address;
    queue->table[index].length = length;
    queue->table[index].flags = flags;
    queue->table[index].next = index + 1;
}

// Make the request that begins with a descriptor available.
static inline void virtio_put(struct virtq *queue, u16 head) {
    u16 index = queue->available.index;
    queue->available.ring[index % QUEUE_SIZE] = head;
    store_release(&queue->available.index, index + 1);
}

// The same in queue 0, and say so.
static inline void virtio_offer(struct virtio v, struct virtq *queue, u16 head) {
    virtio_put(queue, head);
    *(volatile u16 *)v.notify = 0;
}
