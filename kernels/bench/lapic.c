// `count` accesses to a local APIC register by its page: "read" or "write"; without either, the empty loop.
#include "../lib/check.h"

int main(void) {
    volatile u32 *task_priority = direct((rdmsr(MSR_APIC_BASE) & 0xffffff000) + APIC_TPR);
    u64 count = option_number("count", 1000);
    print("go\n");
    if (option("read"))
        for (u64 i = 0; i < count; i++)
            (void)*task_priority;
    else if (option("write"))
        for (u64 i = 0; i < count; i++)
            *task_priority = 0;
    else
        for (u64 i = 0; i < count; i++)
            asm volatile("" ::: "memory");
    return 0;
}
