// x2APIC mode: 32-bit IDs, one 64-bit ICR, self IPI, and no way straight back. SDM vol. 3A, 12.12.
#include "../lib/check.h"

static volatile u32 hits[NCPU];

static void hit(struct trapframe *frame) {
    hits[this_core()->number]++;
    lapic_eoi();
}

static u64 write(u64 msr, u64 value) { wrmsr(msr, value); return 0; }

static u64 read(u64 msr, u64 unused) { return rdmsr(msr); }

static void nothing(void *unused) {}

int main(void) {
    trap_handler(0x50, hit);
    u32 id = lapic_id();
    CHECK(probe(read, 0x802, 0).vector == GP);                  // no MSR of it while in xAPIC mode
    lapic_use_x2apic();
    CHECK(lapic_id() == id && rdmsr(0x802) == id);
    CHECK(rdmsr(0x80d) == ((u64)(id >> 4) << 16 | 1u << (id & 15)));    // LDR follows from the ID
    wrmsr(0x83f, 0x50);                                         // SELF IPI
    wait_interrupt();
    CHECK(hits[0] == 1 && probe(write, 0x802, 1).vector == GP && probe(write, 0x80b, 1).vector == GP);
    CHECK(probe(write, MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~(u64)APIC_BASE_X2).vector == GP);
    static const u32 read_only[] = { 0x802, 0x803, 0x80a, 0x80d, 0x810, 0x817, 0x818, 0x820, 0x827, 0x839 };
    for (u32 i = 0; i < sizeof read_only / sizeof *read_only; i++)
        CHECK(probe(read, read_only[i], 0).vector < 0 && probe(write, read_only[i], 0).vector == GP);
    static const u32 absent[] = { 0x800, 0x809, 0x80c, 0x80e, 0x831, 0x840, 0x8ff };
    for (u32 i = 0; i < sizeof absent / sizeof *absent; i++)
        CHECK(probe(read, absent[i], 0).vector == GP && probe(write, absent[i], 0).vector == GP);
    CHECK(probe(read, 0x80b, 0).vector == GP && probe(read, 0x83f, 0).vector == GP);        // EOI, SELF IPI
    CHECK(probe(write, 0x828, 1).vector == GP && probe(write, 0x828, 0).vector < 0);        // ESR takes 0
    static const struct { u32 msr; u64 reserved; } reserved[] = {
        { 0x808, 1 << 8 }, { 0x80f, 1 << 10 }, { 0x830, 1 << 20 }, { 0x832, 1 << 19 }, { 0x833, 1 << 13 },
        { 0x835, 1 << 17 }, { 0x837, 1 << 17 }, { 0x838, 1ul << 32 }, { 0x83e, 4 }, { 0x83f, 1 << 8 },
    };
    for (u32 i = 0; i < sizeof reserved / sizeof *reserved; i++)
        CHECK(probe(write, reserved[i].msr, reserved[i].reserved).vector == GP);
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], nothing, NULL));
    lapic_ipi(madt_apic_id[1], 0x50);
    delay_us(1000);
    CHECK(hits[1] == 1);
    static const struct { u32 to, icr; } broadcasts[] = { { 0xffffffff, ICR_FIXED }, { 0, ICR_ALL }, { 0xffffffff, ICR_LOGICAL } };
    for (u32 i = 0; i < sizeof broadcasts / sizeof *broadcasts; i++) {
        hits[0] = hits[1] = 0;
        lapic_send(broadcasts[i].to, broadcasts[i].icr | 0x50);
        sti();
        delay_us(1000);
        cli();
        CHECK(hits[0] == 1 && hits[1] == 1);
    }
    print("x2APIC: two cores talk by MSR\n");
    return 0;
}
