// The rogue: tries to read, overwrite and interrupt the others. The machine refuses with machine checks.
#include "showcase.h"

static u64 interrupt(u64 apic_id, u64 icr) {
    lapic_send(apic_id, icr);
    delay_us(20);                               // until it has arrived, or been refused
    return 0;
}

static void report(const char *what, struct outcome outcome) {
    print("%s: %s\n", what, outcome.vector == MC ? "machine check. It did not happen." : "DONE!");
    CHECK(outcome.vector == MC);
}

int main(void) {
    u64 alice = option_number("alice", 0);
    wait_turn(plaza(), 3);
    print("I own core %u, and I want everything.\n", lapic_id());
    report("Reading alice's memory", try_read(alice));
    report("Overwriting her kernel", try_write(alice, 0xdead));
    report("Running it", try_execute(alice));
    report("Firing an NMI at the crowd", probe(interrupt, option_number("crowd", 0), ICR_NMI));
    report("Resetting bob's core with INIT", probe(interrupt, option_number("bob", 0), ICR_INIT));
    end_turn(plaza());
    return 0;
}
