// IA32_APIC_BASE: where the local APIC's page is, which modes there are and how one gets from one to another.
// SDM vol. 3A, 12.4.3 to 12.4.5 and 12.12.5.
#include "../lib/check.h"

#define HOME       0xfee00000ul
#define ELSEWHERE  0xfed40000ul
enum { EN = APIC_BASE_ENABLE, EXTD = APIC_BASE_X2 };

static volatile u32 hits;
static void hit(struct trapframe *frame) { hits++; }

static u64 set_base(u64 value, u64 unused) { wrmsr(MSR_APIC_BASE, value); return 0; }
static bool refused(u64 value) { return probe(set_base, value, 0).vector == GP; }
static bool taken(u64 value) { return probe(set_base, value, 0).vector < 0; }
static bool has_apic(void) { return cpuid(1, 0).edx >> 9 & 1; }
static volatile u32 *page(u64 base, u32 reg) { return direct(base + reg); }

int main(void) {
    trap_handler(0x50, hit);
    u64 base = rdmsr(MSR_APIC_BASE), bare = base & ~(u64)(EN | EXTD);
    u32 version = *page(HOME, APIC_VERSION);
    CHECK((base & 0xfffffff000) == HOME && base & EN && base & APIC_BASE_BSP && has_apic());
    CHECK(refused(base | 1) && refused(base | 1ul << 40) && refused(base | 1 << 9) && refused(bare | EXTD));

    CHECK(taken(bare));                                         // off
    CHECK(!has_apic() && *page(HOME, APIC_VERSION) == ~0u && *page(ELSEWHERE, APIC_VERSION) == ~0u);
    *page(HOME, APIC_TPR) = 0xff;
    write_cr8(5);
    CHECK(read_cr8() == 5 && *page(HOME, APIC_TPR) == ~0u);
    write_cr8(0);
    CHECK(refused(bare | EN | EXTD) && refused(bare | EXTD));

    CHECK(taken(ELSEWHERE | EN | APIC_BASE_BSP));               // on, elsewhere
    CHECK(has_apic() && *page(ELSEWHERE, APIC_VERSION) == version && *page(HOME, APIC_VERSION) == ~0u);
    CHECK(*page(ELSEWHERE, APIC_SVR) == 0xff && *page(ELSEWHERE, APIC_LVT_TIMER) == LVT_MASKED);    // as after RESET
    *page(ELSEWHERE, APIC_SVR) = 0x1ff;
    *page(ELSEWHERE, APIC_ICR) = ICR_SELF | 0x50;
    take_interrupts();
    *page(ELSEWHERE, APIC_EOI) = 0;
    CHECK(hits == 1);
    write_cr8(7);
    CHECK(*page(ELSEWHERE, APIC_TPR) == 0x70);
    write_cr8(0);

    CHECK(taken(base) && *page(HOME, APIC_VERSION) == version && *page(ELSEWHERE, APIC_VERSION) == ~0u);
    CHECK(*page(HOME, APIC_SVR) == 0x1ff);                      // moved, not reset
    CHECK(taken(base | EXTD));                                  // x2APIC
    CHECK(has_apic() && rdmsr(0x803) == version && *page(HOME, APIC_VERSION) == ~0u);
    CHECK(refused(base) && refused(bare | EXTD));
    write_cr8(3);
    CHECK(rdmsr(0x808) == 0x30);
    write_cr8(0);
    CHECK(taken(bare) && refused(bare | EN | EXTD) && taken(base));
    CHECK(*page(HOME, APIC_VERSION) == version && *page(HOME, APIC_ID) >> 24 == cpuid(1, 0).ebx >> 24);
    print("the local APIC moves and changes its mode by the rules\n");
    return 0;
}
