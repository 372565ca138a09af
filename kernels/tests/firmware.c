// What a PC's software asks its firmware's devices: fw_cfg for processors and memory, the keyboard controller for
// a keyboard, the power management timer for its interrupt, POST, A20. QEMU, docs/specs/fw_cfg.rst; ACPI 6.4, 4.8.
#include "../lib/check.h"

enum { SIGNATURE = 0, ID = 1, RAM_SIZE = 3, CPUS = 5, CPUS_MAX = 15, CMDLINE_SIZE = 20, CMDLINE = 21, FILES = 25 };
enum { SELECTOR = 0x510, DATA = 0x511, KEYBOARD = 0x60, CONTROL = 0x64 };
#define PM1_STATUS    0x600
#define PM1_ENABLE    0x602
#define PM_TIMER      0x608
#define TIMER_EVENT   1
#define IRQ_KEYBOARD  1
#define IRQ_POWER     9
#define ENTRY_LEVEL   0x8000

static u32 keys, events;
static u8 last_key;

static u64 item(u16 key, u32 size) {
    u64 value = 0;
    outw(SELECTOR, key);
    for (u32 i = 0; i < size; i++)
        value |= (u64)inb(DATA) << 8 * i;
    return value;
}

static void on_key(struct trapframe *frame) {
    keys++;
    last_key = inb(KEYBOARD);
    lapic_eoi();
}

static void on_power(struct trapframe *frame) {
    events++;
    outw(PM1_STATUS, TIMER_EVENT);
    lapic_eoi();
}

static u32 big_endian(u32 size) {
    u32 value = 0;
    while (size--)
        value = value << 8 | inb(DATA);
    return value;
}

static void check_files(void) {
    struct { u64 base, size; u32 type; } __attribute__((packed)) range;
    char name[56];
    outw(SELECTOR, FILES);
    CHECK(big_endian(4) == 1);
    u32 size = big_endian(4), key = big_endian(2);
    big_endian(2);
    for (u32 i = 0; i < sizeof name; i++)
        name[i] = inb(DATA);
    CHECK(same(name, "etc/e820") && size == sizeof range);
    outw(SELECTOR, key);
    for (u32 i = 0; i < sizeof range; i++)
        ((u8 *)&range)[i] = inb(DATA);
    CHECK(range.base <= physical(&keys) && range.size == option_number("ram", 0) && range.type == 1);
}

static void check_fw_cfg(void) {
    CHECK(item(SIGNATURE, 4) == 0x554d4551 && item(ID, 4) == 1);            // "QEMU"
    CHECK(item(CPUS, 2) == madt_cores && item(CPUS_MAX, 2) == madt_apic_id[1] + 1);
    CHECK(item(RAM_SIZE, 8) == option_number("ram", 0));
    u32 size = item(CMDLINE_SIZE, 4);
    char text[128] = {};
    outw(SELECTOR, CMDLINE);
    for (u32 i = 0; i < size && i < sizeof text; i++)
        text[i] = inb(DATA);
    CHECK(same(text, command_line) && size == strlen(text) + 1);
}

static void check_keyboard(void) {
    outb(CONTROL, 0xaa);
    CHECK(inb(CONTROL) & 1 && inb(KEYBOARD) == 0x55);                       // self test passed
    trap_handler(0x50, on_key);
    ioapic_route(IRQ_KEYBOARD, lapic_id(), 0x50);
    outb(KEYBOARD, 0xff);                                                   // reset
    while (keys < 2)
        wait_interrupt();
    CHECK(last_key == 0xaa && !(inb(CONTROL) & 1));
}

static void check_power(void) {
    trap_handler(0x51, on_power);
    ioapic_write(0x10 + 2 * IRQ_POWER + 1, lapic_id() << 24);
    ioapic_write(0x10 + 2 * IRQ_POWER, ENTRY_LEVEL | 0x51);
    outw(PM1_STATUS, TIMER_EVENT);
    u32 before = inl(PM_TIMER);
    outw(PM1_ENABLE, TIMER_EVENT);
    while (!events)
        wait_interrupt();
    CHECK((before ^ inl(PM_TIMER)) & 0x800000 && !(inw(PM1_STATUS) & TIMER_EVENT));
    outw(PM1_ENABLE, 0);
}

int main(void) {
    check_fw_cfg();
    check_files();
    check_keyboard();
    check_power();
    outb(0x80, 0x42);
    CHECK(inb(0x80) == 0x42 && inb(0x92) & 2 && inb(0xe9) == 0xe9);
    print("the firmware's devices answer\n");
    return 0;
}
