// The HPET: a counter that agrees with the TSC, timer 0 in the place of the 8254, timer 1 by level on a pin of
// its own. IA-PC HPET 1.0a, 2.3.
#include "../lib/check.h"

// In quadwords.
enum { CAPABILITIES = 0, CONFIG = 2, STATUS = 4, COUNTER = 0x1e, TIMER0 = 0x20, TIMER1 = 0x24, COMPARATOR = 1 };
#define ENABLE          1
#define LEGACY          2
#define TIMER_LEVEL     0x02
#define TIMER_ENABLE    0x04
#define TIMER_PERIODIC  0x08
#define TIMER_SET       0x40
#define PIN             21
#define ENTRY_LEVEL     0x8000

struct table { struct acpi_header header; u32 id; u8 space[4]; u64 base; } __attribute__((packed));

static volatile u64 *hpet;
static u32 ticks, levels;

static void on_tick(struct trapframe *frame) { ticks++; lapic_eoi(); }

static void on_level(struct trapframe *frame) {
    levels++;
    hpet[STATUS] = 2;                                                // timer 1's status
    lapic_eoi();
}

int main(void) {
    const struct table *table = acpi_table("HPET");
    CHECK(table && table->space[0] == 0);
    hpet = direct(table->base);
    u64 hz = 1000000000000000ul / (hpet[CAPABILITIES] >> 32);
    CHECK((u32)hpet[CAPABILITIES] == table->id && (hpet[CAPABILITIES] & 0x8000));
    hpet[CONFIG] = ENABLE;
    u64 start = hpet[COUNTER];
    delay_us(1000);
    u64 passed = hpet[COUNTER] - start;
    CHECK(passed >= hz / 1000 && passed < hz / 1000 + hz / 10000);

    trap_handler(0x50, on_tick);
    trap_handler(0x51, on_level);
    ioapic_route(2, lapic_id(), 0x50);
    ioapic_write(0x10 + 2 * PIN + 1, lapic_id() << 24);
    ioapic_write(0x10 + 2 * PIN, ENTRY_LEVEL | 0x51);
    hpet[CONFIG] = 0;
    hpet[COUNTER] = 0;
    hpet[TIMER0] = TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET;
    hpet[TIMER0 + COMPARATOR] = hz / 1000;
    hpet[TIMER1] = TIMER_ENABLE | TIMER_LEVEL | PIN << 9;
    hpet[TIMER1 + COMPARATOR] = hz / 400;
    hpet[CONFIG] = ENABLE | LEGACY;
    while (ticks < 2)
        wait_interrupt();
    CHECK(levels == 0);
    hpet[CONFIG] = ENABLE;                                           // timer 1 has its pin only without replacement
    while (levels < 1)
        wait_interrupt();
    CHECK(hpet[COUNTER] >= hz / 400 && hpet[STATUS] == 0);
    print("%u ticks instead of the 8254's, one level interrupt\n", ticks);
    return 0;
}
