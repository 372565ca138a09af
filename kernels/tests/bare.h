// A 32-bit kernel by Multiboot, without paging and without the runtime, for the claims that need one: it has a stack,
// what it says goes to COM1, and what main() returns is how it ends.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { KCODE = 0x08, KDATA = 0x10, NMI = 2, UD = 6, TS = 10, NP = 11, SS = 12, GP = 13, PF = 14 };
#define APIC(reg)    (*(volatile u32 *)(0xfee00000 + (reg)))
#define IOAPIC(reg)  (*(volatile u32 *)(0xfec00000 + (reg)))

asm(".section .text.header, \"ax\"; .long 0x1badb002, 0, -0x1badb002\n"
    ".globl _start\n _start: mov $stack + 4096, %esp; push %ebx; push %eax; call main; out %eax, $0xf4; cli; hlt\n"
    ".text\n"
    // attempt(f): the exception that f ends with, error code << 8 | vector, or -1.
    "attempt: push %ebx; push %esi; push %edi; push %ebp; mov %esp, recover; call *20(%esp); mov $-1, %eax\n"
    "1: pop %ebp; pop %edi; pop %esi; pop %ebx; ret\n"
    "failed: mov $0x10, %edx; mov %edx, %ss; mov %edx, %ds; mov %edx, %es; mov recover, %esp; shl $8, %eax; or %ecx, %eax; jmp 1b\n"
    ".balign 16; .set n, 0; handlers: .rept 32; .balign 16; .if (0x227d00 >> n) & 1; pop %eax; .else; xor %eax, %eax; .endif\n"
    "mov $n, %ecx; jmp failed; .set n, n + 1; .endr\n");
extern u8 handlers[];
u32 attempt(void (*f)(void));

struct table { u16 limit; u32 base; } __attribute__((packed));

u8 stack[4096] __attribute__((aligned(16)));
u32 recover;
static u64 idt[256];

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" :: "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) { u8 value; asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }

static inline void say(const char *text) {
    for (; *text; text++)
        out8(0x3f8, *text);
}

#define CHECK(claim) do { if (!(claim)) { say("not so: " #claim "\n"); return 1; } } while (0)

// A descriptor: bytes from base to base + limit, and bits 15:8 and 23:20 of the upper half of what they are.
static inline u64 segment(u32 base, u32 limit, u32 access) {
    return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 0xf) << 48 | (u64)(base >> 24) << 56;
}

static inline void gate(u32 vector, u32 selector, u32 offset, u32 access) {
    idt[vector] = (offset & 0xffff) | (u64)selector << 16 | (u64)access << 40 | (u64)(offset >> 16) << 48;
}

static inline void plain_gate(u32 vector) { gate(vector, KCODE, (u32)handlers + 16 * vector, 0x8e); }

// Load a GDT whose first two descriptors are flat ones, and the IDT, all exceptions in it.
static inline void load_tables(u64 *gdt, u32 size) {
    struct table g = { size - 1, (u32)gdt }, i = { sizeof idt - 1, (u32)idt };
    gdt[KCODE / 8] = 0x00cf9b000000ffff;
    gdt[KDATA / 8] = 0x00cf93000000ffff;
    for (u32 vector = 0; vector < 32; vector++)
        plain_gate(vector);
    asm volatile("lgdt %0; lidt %1; ljmp $0x08, $1f; 1:" :: "m"(g), "m"(i));
    asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs" :: "r"(KDATA));
}
