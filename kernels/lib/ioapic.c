// The own I/O APIC. 82093AA, 3.1 and 3.2.
#include "kernel.h"

enum { IOREGSEL = 0, IOWIN = 4 };               // in words
enum { REDIRECTION = 0x10 };
#define MASKED          0x10000

u32 ioapic_read(u32 reg) {
    volatile u32 *ioapic = direct(ioapic_address);
    ioapic[IOREGSEL] = reg;
    return ioapic[IOWIN];
}

void ioapic_write(u32 reg, u32 value) {
    volatile u32 *ioapic = direct(ioapic_address);
    ioapic[IOREGSEL] = reg;
    ioapic[IOWIN] = value;
}

// Edge, active high, as ISA interrupts are.
void ioapic_route(u32 pin, u32 apic_id, u8 vector) {
    ioapic_write(REDIRECTION + 2 * pin + 1, apic_id << 24);
    ioapic_write(REDIRECTION + 2 * pin, vector);
}

void ioapic_mask(u32 pin) { ioapic_write(REDIRECTION + 2 * pin, MASKED); }
