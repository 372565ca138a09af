// The frequency of the time stamp counter and of the local APIC timer is in CPUID, so that nobody has to measure it; and
// they run at it, by the ACPI timer of 3.579545 MHz. SDM vol. 2A, CPUID, leaves 0x15 and 0x16; ACPI 6.4, 4.8.3.3.
#include "../lib/check.h"

enum { PM_TIMER = 0x608, PM_HZ = 3579545, TURNS = 3580 };      // a millisecond

static u32 pm_ticks(u32 since) { return (inl(PM_TIMER) - since) & 0xffffff; }
static bool close_to(u64 value, u64 wanted) { return value > wanted - wanted / 100 && value < wanted + wanted / 100; }

int main(void) {
    struct cpuid crystal = cpuid(0x15, 0), processor = cpuid(0x16, 0);
    CHECK(cpuid(0, 0).eax >= 0x16 && crystal.eax && crystal.ebx && crystal.ecx);
    u64 hz = (u64)crystal.ecx * crystal.ebx / crystal.eax;
    CHECK(hz == tsc_hz && processor.eax == hz / 1000000 && processor.ebx == processor.eax && processor.ecx);
    lapic_timer(LVT_MASKED, 0xffffffff);                        // divided by 1: at the crystal's frequency
    u32 start = inl(PM_TIMER) & 0xffffff, count = lapic_read(APIC_TIMER_CURRENT);
    u64 tsc = rdtsc();
    while (pm_ticks(start) < TURNS)
        pause();
    u64 ticks = pm_ticks(start);
    CHECK(close_to(rdtsc() - tsc, ticks * hz / PM_HZ));
    CHECK(close_to(count - lapic_read(APIC_TIMER_CURRENT), ticks * crystal.ecx / PM_HZ));
    print("TSC and APIC timer run at %lu Hz\n", hz);
    return 0;
}
