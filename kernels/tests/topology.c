// CPUID and the local APIC agree on who a core is, on every core, and with the MADT, however sparse the IDs.
#include "../lib/check.h"

static u32 seen[NCPU], count;

static void look(void *unused) {
    u32 id = lapic_id();
    CHECK(cpuid(1, 0).ebx >> 24 == id);                         // initial APIC ID
    CHECK(cpuid(0, 0).eax < 0xb || cpuid(0xb, 0).edx == id);    // x2APIC ID
    CHECK((cpuid(0xb, 0).ecx >> 8 & 0xff) == 1);                // level 0: SMT
    CHECK((cpuid(0xb, 1).ecx >> 8 & 0xff) == 2);                // level 1: core
    CHECK(cpuid(0xb, 1).ebx >= madt_cores);
    seen[fetch_add(&count, 1)] = id;
}

int main(void) {
    look(NULL);
    for (u32 i = 1; i < madt_cores; i++) {
        CHECK(smp_start(madt_apic_id[i], look, NULL));
        while (load_acquire(&count) != i + 1)
            pause();
    }
    CHECK(madt_apic_id[0] == seen[0]);                          // the boot core comes first
    for (u32 i = 0; i < madt_cores; i++)
        CHECK(seen[i] == madt_apic_id[i]);
    print("%u cores know who they are\n", count);
    return 0;
}
