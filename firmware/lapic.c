// The core's own local APIC. Intel SDM vol. 3A, chapter 12.
#include "firmware.h"

enum {
    IA32_APIC_BASE = 0x1b,      // 12.4.4
    ENABLED = 1 << 11,
    X2APIC = 1 << 10,
    X2APIC_MSRS = 0x800,        // one register each, 12.12.1.2

    SVR = 0xf0,                 // spurious interrupt vector, 12.9
    SVR_ENABLE = 1 << 8,
    SPURIOUS = 0xff,

    LVT_LINT0 = 0x350,          // 12.5.1
    LVT_LINT1 = 0x360,
    NMI = 4 << 8,
    EXTINT = 7 << 8,
    MASKED = 1 << 16,

    ICR_LOW = 0x300,            // 12.6.1
    ICR_HIGH = 0x310,
    PENDING = 1 << 12,
    INIT = 0x4500,              // level assert
    SIPI = 0x4600,

    TOPOLOGY = 0xb,             // CPUID leaf: x2APIC ID in EDX, where EBX is not 0
};

uint32_t lapic_id(void) {
    if (cpuid(0).eax >= TOPOLOGY) {
        struct cpuid leaf = cpuid(TOPOLOGY);
        if (leaf.ebx)
            return leaf.edx;
    }
    return cpuid(1).ebx >> 24;
}

static bool x2apic_mode(void) { return rdmsr(IA32_APIC_BASE) & X2APIC; }

static volatile uint32_t *at(uint32_t reg) { return (volatile uint32_t *)(LAPIC + reg); }

static void write(uint32_t reg, uint32_t value) {
    if (x2apic_mode())
        wrmsr(X2APIC_MSRS + (reg >> 4), value);
    else
        *at(reg) = value;
}

static void set_mode(bool x2apic) {
    uint64_t base = rdmsr(IA32_APIC_BASE) & ~(uint64_t)(ENABLED | X2APIC);
    if (x2apic_mode() && !x2apic)
        wrmsr(IA32_APIC_BASE, base);            // the only way back is by way of "disabled", 12.12.5
    wrmsr(IA32_APIC_BASE, base | ENABLED);
    if (x2apic)
        wrmsr(IA32_APIC_BASE, base | ENABLED | X2APIC);
}

// As a PC BIOS leaves it: enabled, the 8259s' interrupts through LINT0 (if `external`: this core's kernel
// owns them), NMI through LINT1.
void lapic_init(bool x2apic, bool external) {
    set_mode(x2apic);
    write(SVR, SVR_ENABLE | SPURIOUS);
    write(LVT_LINT0, external ? EXTINT : EXTINT | MASKED);
    write(LVT_LINT1, NMI);
}

static void send(uint32_t apic_id, uint32_t command) {
    if (x2apic_mode()) {
        wrmsr(X2APIC_MSRS + (ICR_LOW >> 4), (uint64_t)apic_id << 32 | command);
        return;
    }
    *at(ICR_HIGH) = apic_id << 24;
    *at(ICR_LOW) = command;
    while (*at(ICR_LOW) & PENDING)
        ;
}

// MP 1.4, B.4, without its delays: they are for cores of 1993 to come out of reset.
void lapic_start(uint32_t apic_id) {
    send(apic_id, INIT);
    send(apic_id, SIPI | FIRMWARE_SIPI);
    send(apic_id, SIPI | FIRMWARE_SIPI);        // twice, as the manual says: no effect on a running core
}
