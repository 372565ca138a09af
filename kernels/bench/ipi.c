// Interrupts back and forth, `count` times; both sides sleep in HLT meanwhile. The same image is both kernels
// under mksim ("serve" on the command line begins), and on a PC both sides on two cores of one kernel.
#include "../lib/check.h"

#define VECTOR 0x40                             // on the PC

static volatile u64 heard[NCPU];                // by core

static void on_ipi(struct trapframe *frame) {
    heard[this_core()->number]++;
    lapic_eoi();
}

static void play(u32 peer, u32 vector, u64 count, bool serve) {
    volatile u64 *mine = &heard[this_core()->number];
    for (u64 n = 1; n <= count; n++) {
        if (serve)
            lapic_ipi(peer, vector);
        while (*mine < n)
            wait_interrupt();
        if (!serve)
            lapic_ipi(peer, vector);
    }
}

static void return_balls(void *boot_core) {
    play((u32)(u64)boot_core, VECTOR, ~0ul, false);
}

static void on_a_pc(u64 count) {
    CHECK(madt_cores == 2);
    trap_handler(VECTOR, on_ipi);
    CHECK(smp_start(madt_apic_id[1], return_balls, (void *)(u64)lapic_id()));
    print("go\n");
    play(madt_apic_id[1], VECTOR, count, true);
}

static void on_mksim(const char *peer, u64 count, bool serve) {
    struct doorbell to = doorbell_to(peer);
    trap_handler(doorbell_from(peer).vector, on_ipi);
    print("go\n");
    if (serve)
        delay_us(100);                          // until the other one is ready
    play(to.apic_id, to.vector, count, serve);
}

int main(void) {
    u64 count = option_number("count", 1000);
    bool serve = option("serve");
    if (option("x2apic"))
        lapic_use_x2apic();
    if (acpi_table("MKPT"))
        on_mksim(serve ? "bob" : "alice", count, serve);
    else
        on_a_pc(count);
    return 0;
}
