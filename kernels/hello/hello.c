// Who am I, what is mine? Claim: start-up works, and the machine told us about our cores.
#include "../lib/kernel.h"

int main(void) {
    print("hello from %s: %u core(s), local APIC %u, loaded at %#lx\n", kernel_name, madt_cores, lapic_id(),
          physical((void *)(KERNBASE + IMAGE)));
    return 0;
}
