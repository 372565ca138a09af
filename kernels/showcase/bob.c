// Answers alice, and stays until the end.
#include "showcase.h"

int main(void) {
    struct plaza *p = plaza();
    trap_handler(doorbell_from("alice").vector, awake);
    print("I am another kernel, on core %u, at %#lx. I sleep until somebody rings.\n", lapic_id(), home());
    hear(&p->question);
    say(&p->answer, doorbell_to("alice"), "Five kernels, side by side. No hypervisor.");
    end_turn(p);
    wait_turn(p, THE_END);
    return 0;
}
