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
    CHECK(madt_cores == 2 && smp_start(madt_apic_id[1], nothing, NULL));
    lapic_ipi(madt_apic_id[1], 0x50);
    delay_us(1000);
    CHECK(hits[1] == 1);
    print("x2APIC: two cores talk by MSR\n");
    return 0;
}
