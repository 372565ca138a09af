// The 8259 reaches a core through pin 0 of the I/O APIC as ExtINT, its vector from the 8259, and through LINT0
// as a fixed interrupt with a vector of LINT0's own. 82093AA, 3.2.4; SDM vol. 3A, 12.5.1.
#include "../lib/check.h"
#include "../devices/legacy.h"

#define EXTINT 0x700

static volatile u32 by_pic, by_apic;

static void tick(struct trapframe *frame) {
    by_pic++;
    outb(0x20, 0x20);
}

static void virtual_wire(struct trapframe *frame) {
    by_apic++;
    outb(0x20, 0x0c);                                           // OCW3: poll, so that the 8259 is acknowledged
    CHECK(inb(0x20) == 0x80);
    outb(0x20, 0x20);
    lapic_eoi();
}

int main(void) {
    trap_handler(PIC_VECTORS, tick);
    trap_handler(0x55, virtual_wire);
    lapic_write(APIC_LVT_LINT0, 0x10000);
    ioapic_write(0x11, lapic_id() << 24);                       // pin 0: high word, then low
    ioapic_write(0x10, EXTINT);
    pic_init();
    pit_start(1193);                                            // 1 kHz
    while (by_pic < 5)
        wait_interrupt();
    ioapic_mask(0);
    lapic_write(APIC_LVT_LINT0, 0x55);
    while (by_apic < 5)
        wait_interrupt();
    CHECK(by_pic == 5);
    print("ticks by the 8259's vector, then by LINT0's\n");
    return 0;
}
