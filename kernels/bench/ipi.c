// Interrupts back and forth, `count` times; both sides sleep in HLT meanwhile. The same image is both kernels
// under mksim ("serve" on the command line begins), and on a PC both sides on two cores of one kernel.
//
// It measures the machine, not the runtime: the handler does nothing but count and say EOI, and a side that
// sends knows its last message has arrived, as the answer has, so that there is nothing to wait for.
#include "../lib/check.h"

#define VECTOR 0x40
#define PAGE_OF_APIC (DIRECT + 0xfee00000)

static volatile u64 heard[NCPU] __attribute__((used, aligned(64)));     // by core

// struct core has its number at 8.
void on_ipi(void);
asm("on_ipi:\n"
    "    pushq   %rax\n"
    "    movl    %gs:8, %eax\n"
    "    incq    heard(, %rax, 8)\n"
    "    movabsq $0xffff8000fee000b0, %rax\n"   // EOI
    "    movl    $0, (%rax)\n"
    "    popq    %rax\n"
    "    iretq\n");

static void take_calls(void) {
    u64 address = (u64)on_ipi;
    idt[VECTOR] = (struct gate){ address, KCODE, 0, GATE_INTERRUPT, address >> 16, address >> 32, 0 };
}

static void play(u32 peer, u64 count, bool serve) {
    volatile u64 *mine = &heard[this_core()->number];
    volatile u32 *icr = (void *)(PAGE_OF_APIC + APIC_ICR);
    lapic_write(APIC_ICR_HIGH, peer << 24);
    for (u64 n = 1; n <= count; n++) {
        if (serve)
            *icr = ICR_FIXED | VECTOR;
        while (*mine < n)
            wait_interrupt();
        if (!serve)
            *icr = ICR_FIXED | VECTOR;
    }
}

static void return_balls(void *boot_core) {
    play((u32)(u64)boot_core, ~0ul, false);
}

static void on_a_pc(u64 count) {
    CHECK(madt_cores == 2);
    CHECK(smp_start(madt_apic_id[1], return_balls, (void *)(u64)lapic_id()));
    print("go\n");
    play(madt_apic_id[1], count, true);
}

static void on_mksim(const char *peer, u64 count, bool serve) {
    struct doorbell to = doorbell_to(peer);
    CHECK(to.granted && to.vector == VECTOR);
    print("go\n");
    if (serve)
        delay_us(100);                          // until the other one is ready
    play(to.apic_id, count, serve);
}

int main(void) {
    u64 count = option_number("count", 1000);
    bool serve = option("serve");
    take_calls();
    if (acpi_table("MKPT"))
        on_mksim(serve ? "bob" : "alice", count, serve);
    else
        on_a_pc(count);
    return 0;
}
