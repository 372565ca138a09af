// The instructions that C has no words for. SDM vol. 2.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

static inline u8 inb(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u16 inw(u16 port) { u16 v; asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 inl(u16 port) { u32 v; asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline void outb(u16 port, u8 v) { asm volatile("outb %0, %1" :: "a"(v), "Nd"(port)); }
static inline void outw(u16 port, u16 v) { asm volatile("outw %0, %1" :: "a"(v), "Nd"(port)); }
static inline void outl(u16 port, u32 v) { asm volatile("outl %0, %1" :: "a"(v), "Nd"(port)); }

static inline u64 rdmsr(u32 msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value) {
    asm volatile("wrmsr" :: "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void) {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory");
    return (u64)high << 32 | low;
}

struct cpuid { u32 eax, ebx, ecx, edx; };

static inline struct cpuid cpuid(u32 leaf, u32 subleaf) {
    struct cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

#define READ_REG(name)  static inline u64 read_##name(void) { \
    u64 v; asm volatile("mov %%" #name ", %0" : "=r"(v) :: "memory"); return v; }
#define WRITE_REG(name) static inline void write_##name(u64 v) { \
    asm volatile("mov %0, %%" #name :: "r"(v) : "memory"); }
READ_REG(cr0) READ_REG(cr2) READ_REG(cr3) READ_REG(cr4) READ_REG(cr8) READ_REG(rsp)
WRITE_REG(cr0) WRITE_REG(cr3) WRITE_REG(cr4) WRITE_REG(cr8)

static inline void invlpg(u64 address) { asm volatile("invlpg (%0)" :: "r"(address) : "memory"); }
static inline void pause(void) { asm volatile("pause" ::: "memory"); }
static inline void cli(void) { asm volatile("cli" ::: "memory"); }
static inline void sti(void) { asm volatile("sti" ::: "memory"); }

static inline u64 read_flags(void) { u64 f; asm volatile("pushfq; popq %0" : "=r"(f) :: "memory"); return f; }
static inline void write_flags(u64 f) { asm volatile("pushq %0; popfq" :: "r"(f) : "memory", "cc"); }
#define FLAGS_IF 0x200

// The kernels' one way to wait for an interrupt: they run with interrupts off and take them only here.
// STI holds interrupts back for one instruction, so none is lost between a check and the HLT.
static inline void wait_interrupt(void) { asm volatile("sti; hlt; cli" ::: "memory"); }

// Take what is pending, without sleeping: the NOP is the one instruction in STI's shadow.
static inline void take_interrupts(void) { asm volatile("sti; nop; cli" ::: "memory"); }

// Arm the monitor on the line that holds `address`; then, if it has still not changed, sleep with mwait().
static inline void monitor(const volatile void *address) {
    asm volatile("monitor" :: "a"(address), "c"(0), "d"(0) : "memory");
}
static inline void mwait(void) { asm volatile("mwait" :: "a"(0), "c"(0) : "memory"); }

// Shared words, between cores and between kernels.
#define load_acquire(p)         __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v)     __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define fetch_add(p, v)         __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define exchange(p, v)          __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define compare_exchange(p, expected, desired) \
    __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

// Model specific registers, SDM vol. 4; memory-mapped local APIC registers are in lapic.c.
#define MSR_APIC_BASE     0x1b
# define APIC_BASE_BSP      (1u << 8)
# define APIC_BASE_X2       (1u << 10)
# define APIC_BASE_ENABLE   (1u << 11)
#define MSR_MCG_CAP       0x179
#define MSR_MCG_STATUS    0x17a
#define MSR_MC_CTL        0x400         // bank i at +4*i, then STATUS, ADDR, MISC
#define MSR_MC_STATUS     0x401
# define MC_VALID           (1ull << 63)
# define MC_ADDRESS_VALID   (1ull << 58)
#define MSR_MC_ADDR       0x402
#define MSR_TSC_DEADLINE  0x6e0
#define MSR_EFER          0xc0000080
# define EFER_SCE           (1u << 0)
# define EFER_LME           (1u << 8)
# define EFER_NXE           (1u << 11)
#define MSR_STAR          0xc0000081
#define MSR_LSTAR         0xc0000082
#define MSR_SFMASK        0xc0000084
#define MSR_GS_BASE       0xc0000101
#define MSR_KERNEL_GS     0xc0000102
#define CR4_MCE           (1u << 6)
