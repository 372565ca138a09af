// The ROM: every function that crosses a file, by file.
//
// It runs in place, on several cores at once, and has no memory of its own: all state is on the stack of
// the core, in the partition table (which it only reads) and in the tables of the kernel to be started.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Made from mksim/spec/ by the build.
#include "acpi.h"
#include "acpi_pm.h"
#include "handoff.h"
#include "memmap.h"
#include "partition.h"

// Progress at port 80h, as on any PC.
enum post {
    POST_ENTERED = 0x01,        // a core runs C
    POST_TABLE = 0x10,          // the partition table makes sense
    POST_BOARD = 0x20,          // interrupt controllers are quiet
    POST_STARTED = 0x30,        // every kernel's boot core got its SIPI
    POST_HAND_OFF = 0x40,       // this kernel's tables are written
    POST_BAD_TABLE = 0xe1,      // from here on: stopped, see port E9h
    POST_UNKNOWN_CORE = 0xe2,
    POST_NO_ROOM = 0xe3,
};

// One kernel being started: what is said of it, and what is left of the area that is being filled.
struct boot {
    const struct partition_kernel *kernel;
    uint32_t id;                // its index
    uint8_t *start, *next, *end;
    uint32_t rsdp;
    struct pvh_memory *memory;  // its memory map
    uint32_t memory_count;
};

// reset.S
_Noreturn void halt(void);
_Noreturn void park(void);
_Noreturn void hand_off(uint32_t kernel, uint32_t entry, uint32_t eax, uint32_t ebx);
_Noreturn void hand_off_64(uint32_t kernel, uint32_t entry, uint32_t rsi, uint32_t cr3);

// acpi.c
uint32_t acpi_write(struct boot *boot);                 // returns the address of the RSDP
void acpi_seal(struct acpi_table *table, const char *signature, uint32_t length, uint8_t revision);
struct acpi_gas acpi_port(uint16_t address, uint8_t bytes, uint8_t access);

// area.c
void area_begin(struct boot *boot, uint64_t base, uint64_t size);
void *area_take(struct boot *boot, uint32_t size, uint32_t align);      // zeroed
uint32_t area_string(struct boot *boot, const char *text);

// check.c
void check_table(void);                                 // returns only if the firmware can rely on it

// chipset.c
void chipset_write(struct boot *boot);

// console.c
void post(enum post code);
_Noreturn void stop(enum post code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// dsdt.c
uint32_t dsdt_write(struct boot *boot);
uint32_t spcr_write(struct boot *boot);

// ioapic.c
void ioapic_mask(uint32_t index);

// iommu.c
void iommu_start(void);
bool iommu_owned(uint32_t kernel);
uint32_t dmar_write(struct boot *boot);

// lapic.c
uint32_t lapic_id(void);                                // by CPUID: right in either mode
void lapic_init(bool x2apic, bool external);
void lapic_start(uint32_t apic_id);                     // INIT, SIPI: the core enters this ROM

// linux.c
uint32_t linux_write(struct boot *boot);                // returns what goes to RSI

// madt.c
uint32_t madt_write(struct boot *boot);

// memory.c
void memory_map_write(struct boot *boot);

// mkpt.c
uint32_t mkpt_write(struct boot *boot);

// multiboot.c
uint32_t multiboot_write(struct boot *boot);            // returns what goes to EBX

// paging.c
uint32_t paging_write(struct boot *boot);               // returns what goes to CR3

// partition.c: the table, once it is checked
const struct partition_header *table(void);
const struct partition_kernel *kernel_at(uint32_t index);
const struct partition_core *core_at(uint32_t index);
const struct partition_span *span_at(uint32_t index);
const struct partition_window *window_at(uint32_t index);
const struct partition_grant *grant_at(uint32_t index);
const struct partition_doorbell *doorbell_at(uint32_t index);
const struct partition_module *module_at(uint32_t index);
const struct partition_uart *uart_at(uint32_t index);
const struct partition_iommu *iommu_at(uint32_t index);
const char *string_at(uint32_t offset);

// pic.c
void pic_mask(void);

// pvh.c
uint32_t pvh_write(struct boot *boot);                  // returns what goes to EBX

// string.c
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);
size_t strlen(const char *text);

// Port I/O and the registers that C cannot name.

static inline void out8(uint16_t port, uint8_t value) {
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

struct cpuid { uint32_t eax, ebx, ecx, edx; };

static inline struct cpuid cpuid(uint32_t leaf) {
    struct cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

static inline uint64_t rdmsr(uint32_t msr) {
    uint64_t value;
    asm volatile("rdmsr" : "=A"(value) : "c"(msr));
    return value;
}

static inline void wrmsr(uint32_t msr, uint64_t value) { asm volatile("wrmsr" ::"A"(value), "c"(msr)); }
