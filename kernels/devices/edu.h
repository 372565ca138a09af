// QEMU's educational device: docs/specs/edu.rst of QEMU.
#pragma once
#include "pci.h"

enum {
    EDU_ID = 0x00, EDU_LIVENESS = 0x04, EDU_FACTORIAL = 0x08, EDU_STATUS = 0x20, EDU_INTERRUPTS = 0x24, EDU_RAISE = 0x60,
    EDU_ACKNOWLEDGE = 0x64, EDU_SOURCE = 0x80, EDU_DESTINATION = 0x88, EDU_COUNT = 0x90, EDU_COMMAND = 0x98
};
#define EDU_COMPUTING   0x01                    // status
#define EDU_INTERRUPT   0x80
#define EDU_RUN         0x01                    // command
#define EDU_TO_MEMORY   0x02
#define EDU_DMA_INTERRUPT 0x04
#define EDU_BUFFER      0x40000
#define EDU_VENDOR      0x1234
#define EDU_DEVICE      0x11e8

struct edu { u64 function; volatile u8 *memory; };

static inline struct edu edu_find(void) {
    u64 function = pci_find(EDU_VENDOR, EDU_DEVICE);
    return (struct edu){ function, function ? direct(pci_read(function, PCI_BASE) & ~0xfu) : NULL };
}

static inline u32 edu_read(struct edu edu, u32 at) { return *(volatile u32 *)(edu.memory + at); }
static inline void edu_write(struct edu edu, u32 at, u32 value) { *(volatile u32 *)(edu.memory + at) = value; }
static inline void edu_write64(struct edu edu, u32 at, u64 value) { *(volatile u64 *)(edu.memory + at) = value; }

static inline void edu_start(struct edu edu, u64 source, u64 destination, u64 count, u32 command) {
    edu_write64(edu, EDU_SOURCE, source);
    edu_write64(edu, EDU_DESTINATION, destination);
    edu_write64(edu, EDU_COUNT, count);
    edu_write(edu, EDU_COMMAND, command | EDU_RUN);
}

static inline void edu_wait(struct edu edu) {
    while (edu_read(edu, EDU_COMMAND) & EDU_RUN)
        pause();
}

// From its buffer to memory, or back.
static inline void edu_to_memory(struct edu edu, u64 address, u64 count) {
    edu_start(edu, EDU_BUFFER, address, count, EDU_TO_MEMORY);
    edu_wait(edu);
}

static inline void edu_from_memory(struct edu edu, u64 address, u64 count) {
    edu_start(edu, address, EDU_BUFFER, count, 0);
    edu_wait(edu);
}
