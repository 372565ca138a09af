// The rogue: tries to read, overwrite, run and interrupt the others. Claims that the machine refuses all of it
// with machine checks; on a machine that trusts its kernels, it happens.
#include "showcase.h"

static u32 happened;

static u64 interrupt(u64 apic_id, u64 icr) {
    lapic_send(apic_id, icr);
    delay_us(20);                               // until it has arrived, or been refused
    return 0;
}

static void report(const char *what, struct outcome outcome) {
    bool refused = outcome.vector == MC;
    print("%s: %s\n", what, refused ? "machine check. It did not happen." : "it happened.");
    happened += !refused;
}

int main(void) {
    struct plaza *p = plaza();
    wait_turn(p, MALLORY);
    print("I own core %u, and I want everything.\n", lapic_id());
    report("Reading alice's diary", try_read(p->diary));
    report("Writing into it", try_write(p->diary, 0xc30000002ab8));     // mov $42, %eax; ret
    report("Running what I wrote", try_execute(p->diary));
    report("Firing an NMI at the crowd", probe(interrupt, option_number("crowd", 0), ICR_NMI));
    report("Resetting bob's core with INIT", probe(interrupt, option_number("bob", 0), ICR_INIT));
    end_turn(p);
    return happened;
}
