// The I/O APIC by the test device's lines: edges once, levels again until they fall, masks, remote IRR, and the bits
// that cannot be written. 82093AA, 3.2.4; the device is QEMU's pc-testdev.
#include "../lib/check.h"

enum { TEST_WORD = 0xe0, TEST_LINE = 0x2000, EDGE_PIN = 14, LEVEL_PIN = 15 };
enum { LEVEL = 1 << 15, MASKED = 1 << 16, REMOTE_IRR = 1 << 14, PENDING = 1 << 12, LOGICAL = 1 << 11 };

static u32 edges, levels, order[16], count, falls_at;

static void line(u32 pin, u8 level) { outb(TEST_LINE + pin, level); }
static void toggle(u32 pin) { line(pin, 1); line(pin, 0); }
static u32 low(u32 pin) { return ioapic_read(0x10 + 2 * pin); }

static void route(u32 pin, u32 bits) {
    ioapic_write(0x10 + 2 * pin + 1, lapic_id() << 24);
    ioapic_write(0x10 + 2 * pin, bits);
}

static void on_edge(struct trapframe *frame) {
    edges++;
    order[count++ & 15] = frame->vector;
    lapic_eoi();
}

static void on_level(struct trapframe *frame) {
    levels++;
    order[count++ & 15] = frame->vector;
    CHECK(low(LEVEL_PIN) & REMOTE_IRR);
    if (levels == falls_at)
        line(LEVEL_PIN, 0);
    lapic_eoi();
}

static void edge(void) {
    route(EDGE_PIN, 0x78);
    toggle(EDGE_PIN);
    take_interrupts();
    CHECK(edges == 1 && !(low(EDGE_PIN) & (REMOTE_IRR | PENDING)));
    line(EDGE_PIN, 1);
    take_interrupts();
    line(EDGE_PIN, 1);                                          // no edge
    take_interrupts();
    CHECK(edges == 2);
    line(EDGE_PIN, 0);
    route(EDGE_PIN, 0x78 | MASKED);
    toggle(EDGE_PIN);                                           // lost
    route(EDGE_PIN, 0x78);
    take_interrupts();
    CHECK(edges == 2);
    toggle(EDGE_PIN);
    toggle(EDGE_PIN);                                           // one request for two, as none was taken between
    take_interrupts();
    CHECK(edges == 3);
}

static void level(void) {
    route(LEVEL_PIN, 0x66 | LEVEL);
    falls_at = 3;
    line(LEVEL_PIN, 1);
    asm volatile("sti; nop; nop; nop; nop; cli");
    CHECK(levels == 3 && !(low(LEVEL_PIN) & REMOTE_IRR));       // thrice, as it stayed up
    route(LEVEL_PIN, 0x66 | LEVEL | MASKED);
    line(LEVEL_PIN, 1);
    take_interrupts();
    CHECK(levels == 3);
    falls_at = 4;
    route(LEVEL_PIN, 0x66 | LEVEL);                             // still up
    take_interrupts();
    CHECK(levels == 4);
    line(LEVEL_PIN, 1);
    line(LEVEL_PIN, 0);                                         // was up: the local APIC has it
    falls_at = 0;
    take_interrupts();
    CHECK(levels == 5);
}

static void together(void) {
    count = 0;
    falls_at = levels + 1;
    line(LEVEL_PIN, 1);
    toggle(EDGE_PIN);
    asm volatile("sti; nop; nop; cli");
    CHECK(count == 2 && order[0] == 0x78 && order[1] == 0x66);  // by priority
}

static void registers(void) {
    ioapic_write(1, 0);
    CHECK((ioapic_read(1) & 0xff00ff) == 0x170011 || (ioapic_read(1) & 0xff00ff) == 0x170020);
    ioapic_write(0, 0x0f000000);
    CHECK(ioapic_read(0) == 0x0f000000);
    ioapic_write(0, 0);
    ioapic_write(0x10 + 2 * EDGE_PIN, 0xffffffff);              // delivery status and remote IRR are read-only
    CHECK(low(EDGE_PIN) == (0x1ffff & ~(PENDING | REMOTE_IRR)));
    ioapic_write(0x10 + 2 * EDGE_PIN + 1, 0xffffffff);
    CHECK(ioapic_read(0x10 + 2 * EDGE_PIN + 1) == 0xffff0000);   // 55:48 as of ICH, 9.5.8, for an IOMMU
    ioapic_write(0x10 + 2 * EDGE_PIN, MASKED);
}

int main(void) {
    trap_handler(0x78, on_edge);
    trap_handler(0x66, on_level);
    outl(TEST_WORD, 0x12345678);
    CHECK(inl(TEST_WORD) == 0x12345678 && inb(TEST_WORD) == 0x78 && inb(TEST_WORD + 3) == 0x12);
    outb(TEST_WORD + 1, 0xff);
    CHECK(inw(TEST_WORD) == 0xff78);
    edge();
    level();
    together();
    registers();
    print("%u edges, %u levels\n", edges, levels);
    return 0;
}
