// The runtime of the example kernels: every function that crosses a file, by file.
#pragma once

#include "memlayout.h"
#include "x86.h"

// A kernel is main(); what it returns is how it ends.
int main(void);

// start.S
extern u64 pml4[512];                           // the page tables' top level: see memlayout.h

// vectors.S
void user_enter(u64 rip, u64 rsp) __attribute__((noreturn));    // to ring 3; back only by a trap

// start.c
extern u64 load_offset;                         // load address - link address of the image
extern const char *command_line;
u64 physical(const volatile void *address);              // of the image, the stack or a DIRECT address
static inline void *direct(u64 address) { return (void *)(DIRECT + address); }
void exit_kernel(u32 code) __attribute__((noreturn));
bool option(const char *name);                  // is this word on the command line?
u64 option_number(const char *name, u64 otherwise);             // name=123 or name=0x7b

// core.c
struct outcome {                                // of an attempt; see probe()
    int vector;                                 // the exception, or -1: it happened
    u64 error;                                  // error code; for a machine check MCi_STATUS
    u64 address;                                // CR2; for a machine check MCi_ADDR
    u64 value;                                  // what the attempt returned
};
struct core {                                   // found by GS
    struct core *self;
    u32 number;                                 // 0 = the boot core
    u32 apic_id;
    u64 recover;                                // stack pointer to come back to, if an attempt is on
    struct outcome outcome;
    u64 gdt[GDT_SLOTS];
    struct { u32 reserved0, rsp[6], reserved1[2], ist[14], reserved2[2]; u16 reserved3, io_map; } tss;
    void (*run)(void *);                        // a secondary core's work
    void *argument;
    u32 started;
};
extern struct core cores[NCPU];
void core_init(u32 number);                     // descriptor tables, GS, machine checks: on every core
u64 core_stack(u32 number);
static inline struct core *this_core(void) {
    struct core *core;
    asm volatile("movq %%gs:0, %0" : "=r"(core));
    return core;
}

// trap.c
struct trapframe {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};
struct gate { u16 offset_low, selector; u8 ist, type; u16 offset_middle; u32 offset_high, reserved; };
extern struct gate idt[256];
#define GATE_INTERRUPT 0x8e                     // present, ring 0
#define GATE_USER      0xee                     // present, ring 3 may call it by INT
void trap_init(void);
void trap_load(void);
void trap_handler(u8 vector, void (*handler)(struct trapframe *));      // NULL: back to "fatal"
#define EXIT_FATAL 64                           // + vector: the exit code of an exception without handler

enum {                                          // SDM vol. 3A, table 7-1
    DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, DF = 8, TS = 10, NP = 11, SS = 12,
    GP = 13, PF = 14, MF = 16, AC = 17, MC = 18
};

// probe.c
struct outcome probe(u64 (*attempt)(u64, u64), u64 a, u64 b);
struct outcome try_read(u64 physical_address);                  // 64 bits
struct outcome try_write(u64 physical_address, u64 value);
struct outcome try_execute(u64 physical_address);               // calls it

// mce.c
void mce_init(void);
void mce_collect(u64 *status, u64 *address);    // the first valid bank, cleared

// acpi.c
struct acpi_header {                            // ACPI 6.4, 5.2.6
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem[6], oem_table[8];
    u32 oem_revision, creator, creator_revision;
} __attribute__((packed));
extern u32 madt_cores, madt_apic_id[NCPU];      // own cores, as the MADT lists them
extern u64 ioapic_address;                      // 0 if the kernel owns none
void acpi_init(u64 rsdp);
const void *acpi_table(const char *signature);  // NULL if there is none

// partition.c
struct window { char *base; u64 size; u32 rights; };            // base NULL: not granted
struct doorbell { u32 apic_id, vector; bool granted; };
extern const char *kernel_name;
extern u32 kernel_id;
extern u64 low_page;                            // the own page below 1 MiB
extern u64 tsc_hz;                              // of the time stamp counter
void partition_init(void);
struct window window(const char *name);
struct doorbell doorbell_to(const char *peer);
struct doorbell doorbell_from(const char *peer);
void ring(struct doorbell doorbell);

struct serial { u16 port; u32 irq; bool wired; };               // irq 0: none
struct serial serial_to(const char *peer);      // our end of a wire between us

// ioapic.c
u32 ioapic_read(u32 reg);
void ioapic_write(u32 reg, u32 value);
void ioapic_route(u32 pin, u32 apic_id, u8 vector);
void ioapic_mask(u32 pin);

// uart.c
enum {                                          // PC16550D, table II
    UART_DATA = 0, UART_DIVISOR_LOW = 0, UART_IER = 1, UART_DIVISOR_HIGH = 1, UART_IIR = 2, UART_FCR = 2,
    UART_LCR = 3, UART_MCR = 4, UART_LSR = 5, UART_MSR = 6
};
void uart_open(u16 port, u8 fifo_control);      // 115200 baud, 8 bits, no parity
void uart_init(void);
void uart_write(const char *text, u32 length);

// print.c
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
int format_text(char *out, u32 size, const char *format, __builtin_va_list arguments);

// lapic.c
#define ICR_FIXED         0x0000
#define ICR_LOWEST        0x0100
#define ICR_SMI           0x0200
#define ICR_NMI           0x0400
#define ICR_INIT          0x4500                // level assert
#define ICR_SIPI          0x4600
#define ICR_LOGICAL       0x0800
#define ICR_SELF          0x40000
#define ICR_ALL           0x80000
#define ICR_OTHERS        0xc0000
#define LVT_MASKED        0x10000
#define LVT_PERIODIC      0x20000
#define LVT_DEADLINE      0x40000
enum {                                          // SDM vol. 3A, table 12-1
    APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_PPR = 0xa0, APIC_EOI = 0xb0, APIC_LDR = 0xd0,
    APIC_DFR = 0xe0, APIC_SVR = 0xf0, APIC_ISR = 0x100, APIC_IRR = 0x200, APIC_ESR = 0x280, APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310, APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350, APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370, APIC_TIMER_INITIAL = 0x380, APIC_TIMER_CURRENT = 0x390, APIC_TIMER_DIVIDE = 0x3e0
};
#define VECTOR_SPURIOUS 0xff
void lapic_init(void);                          // on every core
void lapic_use_x2apic(void);                    // this core and those that start later
u32 lapic_read(u32 reg);
void lapic_write(u32 reg, u32 value);
u32 lapic_id(void);
void lapic_eoi(void);
void lapic_send(u32 destination, u32 icr);      // any message; waits until the last one has left
static inline void lapic_ipi(u32 apic_id, u8 vector) { lapic_send(apic_id, ICR_FIXED | vector); }
void lapic_timer(u32 mode_and_vector, u32 count);               // divide by 1; count 0 stops it
void delay_us(u64 us);                          // busy, by the TSC

// smp.c
bool smp_start(u32 apic_id, void (*run)(void *), void *argument);
bool smp_together(void (*run)(void));

// string.c
void *memset(void *to, int byte, u64 size);
void *memcpy(void *to, const void *from, u64 size);
void *memmove(void *to, const void *from, u64 size);
int memcmp(const void *a, const void *b, u64 size);
u64 strlen(const char *text);
bool same(const char *a, const char *b);
