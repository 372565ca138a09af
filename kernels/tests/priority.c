// Interrupts wait for the task priority and for those in service; the highest goes first. SDM vol. 3A, 12.8.3.
#include "../lib/check.h"

static u32 order[8], count;

static void note(struct trapframe *frame) {
    order[count++] = frame->vector;
    if (frame->vector == 0x60) {                                // let higher ones in before our EOI
        CHECK(lapic_read(APIC_ISR + 0x30) == 1 && lapic_read(APIC_PPR) == 0x60);
        take_interrupts();
    }
    lapic_eoi();
}

static void send(u8 vector) { lapic_send(0, ICR_SELF | vector); }

int main(void) {
    for (u32 v = 0x40; v < 0x90; v += 0x10)
        trap_handler(v, note);
    write_cr8(6);                                               // nothing up to 0x6f
    CHECK(lapic_read(APIC_TPR) == 0x60 && lapic_read(APIC_PPR) == 0x60);
    send(0x40), send(0x60), send(0x50), send(0x70);
    CHECK(lapic_read(APIC_IRR + 0x20) == 0x00010001);           // 0x40 and 0x50
    wait_interrupt();
    CHECK(count == 1 && order[0] == 0x70);
    write_cr8(0);
    wait_interrupt();                                           // 0x60, whose handler lets nothing lower in
    take_interrupts();
    CHECK(count == 4 && order[1] == 0x60 && order[2] == 0x50 && order[3] == 0x40);
    CHECK(lapic_read(APIC_IRR + 0x20) == 0 && lapic_read(APIC_PPR) == 0);
    print("interrupts in order of priority\n");
    return 0;
}
