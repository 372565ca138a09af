// Machine checks. SDM vol. 3B, chapter 17.
#include "kernel.h"

static u32 banks(void) {
    struct cpuid features = cpuid(1, 0);
    return features.edx >> 14 & 1 ? rdmsr(MSR_MCG_CAP) & 0xff : 0;      // CPUID.1:EDX.MCA
}

// Enable machine checks on this core, where it has them.
void mce_init(void) {
    for (u32 i = 0; i < banks(); i++) {
        wrmsr(MSR_MC_CTL + 4 * i, ~0ull);
        wrmsr(MSR_MC_STATUS + 4 * i, 0);
    }
    if (cpuid(1, 0).edx >> 7 & 1)               // CPUID.1:EDX.MCE
        write_cr4(read_cr4() | CR4_MCE);
}

// Read and clear the first bank that holds an error, and leave the machine-check state, so that the
// next one does not shut the core down (MCG_STATUS.MCIP).
void mce_collect(u64 *status, u64 *address) {
    *status = *address = 0;
    for (u32 i = banks(); i-- > 0; ) {
        u64 found = rdmsr(MSR_MC_STATUS + 4 * i);
        if (!(found & MC_VALID))
            continue;
        *status = found;
        *address = found & MC_ADDRESS_VALID ? rdmsr(MSR_MC_ADDR + 4 * i) : 0;
        wrmsr(MSR_MC_STATUS + 4 * i, 0);
    }
    if (banks())
        wrmsr(MSR_MCG_STATUS, 0);
}
