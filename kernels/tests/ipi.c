// Every way to address an interrupt among four cores reaches whom it names, once. SDM vol. 3A, 12.6.2.
#include "../lib/check.h"

static volatile u32 hits[NCPU], ready;

static void hit(struct trapframe *frame) {
    hits[this_core()->number]++;
    lapic_eoi();
}

static void join(void *model) {                                 // logical ID: flat 1 << n, cluster: two of two
    u32 n = this_core()->number;
    lapic_write(APIC_DFR, model ? 0x0fffffff : 0xffffffff);
    lapic_write(APIC_LDR, (model ? (n / 2) << 4 | 1u << n % 2 : 1u << n) << 24);
    fetch_add(&ready, 1);
}

// Send; then the digits of `expect`, from core 0, are how often each core was hit.
static void expect(const char *what, u32 destination, u32 icr, u32 expect) {
    lapic_send(destination, icr | 0x50);
    sti();
    delay_us(1000);
    cli();
    u32 got = hits[0] << 12 | hits[1] << 8 | hits[2] << 4 | hits[3];
    hits[0] = hits[1] = hits[2] = hits[3] = 0;
    print("%s: %04x\n", what, got);
    u32 sum = (got >> 12) + (got >> 8 & 15) + (got >> 4 & 15) + (got & 15);
    CHECK(icr & ICR_LOWEST ? sum == 1 && (got & ~expect) == 0 : got == expect);
}

int main(void) {
    void *cluster = option("cluster") ? (void *)"cluster" : NULL;
    trap_handler(0x50, hit);
    join(cluster);
    for (u32 i = 1; i < 4; i++)
        CHECK(smp_start(madt_apic_id[i], join, cluster));
    while (ready < 4)
        pause();
    expect("physical", madt_apic_id[2], ICR_FIXED, 0x0010);
    expect("broadcast", 0xff, ICR_FIXED, 0x1111);
    expect("self", 0, ICR_SELF, 0x1000);
    expect("all", 0, ICR_ALL, 0x1111);
    expect("others", 0, ICR_OTHERS, 0x0111);
    expect("logical", cluster ? 0x13 : 0x0c, ICR_LOGICAL, 0x0011);
    expect("lowest", cluster ? 0x03 : 0x06, ICR_LOGICAL | ICR_LOWEST, cluster ? 0x1100 : 0x0110);
    return 0;
}
