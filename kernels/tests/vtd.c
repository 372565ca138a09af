// A device behind Intel VT-d: it reaches what tables say, and what they said until they are invalidated; what it
// may not is recorded and interrupts; its interrupts are those of the remapping table, for it alone. Revision 3.3.
#include "../lib/check.h"
#include "../devices/edu.h"
#include "../devices/vtd.h"

#define SOURCE    0x08                          // 00:01.0
#define VECTOR    0x50
#define ON_FAULT  0x51
#define PAGE_SIZE 4096

static struct edu edu;
static struct vtd vtd;
static struct vtd_tables tables;
static u64 pages[4][512] __attribute__((aligned(4096))), *scratch = pages[3];
static u32 faults, interrupts;

static void on_fault(struct trapframe *frame) { faults++; lapic_eoi(); }
static void on_interrupt(struct trapframe *frame) { interrupts++; lapic_eoi(); }

// The word that the device reads at an address of its own: it hands it over in a page that it always reaches.
static u64 seen(u64 at) {
    edu_from_memory(edu, at, 8);
    edu_to_memory(edu, 8 * PAGE_SIZE, 8);
    return *(volatile u64 *)scratch;
}

// The reason of the only fault on record, which is cleared then; 0 if there is none.
static u32 fault(u64 page, u32 read) {
    u32 at = VTD_RECORD + 16 * (vtd_read(&vtd, VTD_FAULTS) >> 8 & 0xff), last = vtd_read(&vtd, at + 12);
    if (!(vtd_read(&vtd, VTD_FAULTS) & VTD_PENDING))
        return 0;
    CHECK(last & VTD_FAULT && (last & VTD_READ) == read && vtd_read(&vtd, at + 8) == SOURCE);
    CHECK(vtd_read(&vtd, at) == (u32)page && vtd_read(&vtd, at + 4) == page >> 32);
    vtd_write(&vtd, at + 12, VTD_FAULT);
    return last & 0xff;
}

static void check_translation(void) {
    for (u32 i = 0; i < 3; i++)
        pages[i][0] = 0x1000 + i;
    vtd_map(&vtd, 8, physical(scratch), 2);
    vtd_map(&vtd, 5, physical(pages[0]), 1);
    vtd_map(&vtd, 6, physical(pages[1]), 3);
    CHECK(seen(5 * PAGE_SIZE) == 0x1000);
    edu_to_memory(edu, 6 * PAGE_SIZE + 64, 8);
    CHECK(pages[1][8] == 0x1000 && !fault(0, 0));
}

static void check_faults(void) {
    vtd_write(&vtd, VTD_EVENT_DATA, ON_FAULT);
    vtd_write(&vtd, VTD_EVENT_ADDRESS, MSI_ADDRESS | lapic_id() << 12);
    vtd_write(&vtd, VTD_EVENT_HIGH, 0);
    vtd_write(&vtd, VTD_EVENT, 0);
    CHECK(seen(7 * PAGE_SIZE) == ~0ul && faults == 1);
    CHECK(fault(7 * PAGE_SIZE, VTD_READ) == 6);                 // not readable
    edu_to_memory(edu, 5 * PAGE_SIZE, 8);
    CHECK(pages[0][0] == 0x1000 && faults == 2);
    CHECK(fault(5 * PAGE_SIZE, 0) == 5);                        // not writable
    CHECK(pci_read16(edu.function, PCI_STATUS) & PCI_TARGET_ABORT);
}

static void check_staleness(void) {
    vtd_map(&vtd, 5, physical(pages[2]), 1);
    CHECK(seen(5 * PAGE_SIZE) == 0x1000);                       // what the tables said
    vtd_forget_page(&vtd, 6 * PAGE_SIZE);
    CHECK(seen(5 * PAGE_SIZE) == 0x1000);                       // another page's invalidation
    vtd_forget_page(&vtd, 5 * PAGE_SIZE);
    CHECK(seen(5 * PAGE_SIZE) == 0x1002);
    tables.contexts[2 * SOURCE] = 0;
    CHECK(seen(5 * PAGE_SIZE) == 0x1002);
    vtd_forget_context(&vtd);
    edu_from_memory(edu, 5 * PAGE_SIZE, 8);
    CHECK(fault(5 * PAGE_SIZE, VTD_READ) == 2);                 // no context
}

static void raise(void) {
    edu_write(edu, EDU_RAISE, 1);
    edu_write(edu, EDU_ACKNOWLEDGE, 1);
    delay_us(5);
}

static void check_interrupts(void) {
    vtd_route(&vtd, 3, SOURCE, lapic_id(), VECTOR);
    vtd_route(&vtd, 4, SOURCE + 8, lapic_id(), VECTOR);
    vtd_msi(edu.function, 3);
    raise();
    CHECK(!interrupts);                                         // which is vector 0 while nothing is remapped
    vtd_start_interrupts(&vtd);
    raise();
    CHECK(interrupts == 1 && !fault(0, 0));
    vtd_msi(edu.function, 4);
    raise();
    CHECK(interrupts == 1 && fault(4ul << 48, 0) == 0x26);      // another's
    msi_enable(edu.function, lapic_id(), VECTOR);
    raise();
    CHECK(interrupts == 1 && fault(0, 0) == 0x25);              // compatibility format
}

int main(void) {
    edu = edu_find();
    vtd_find(&vtd, 0);
    CHECK(edu.function && vtd.registers && vtd_read(&vtd, VTD_VERSION) == 0x10);
    pci_write16(edu.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    trap_handler(VECTOR, on_interrupt);
    trap_handler(ON_FAULT, on_fault);
    sti();
    vtd_start(&vtd, &tables, SOURCE);
    check_translation();
    check_faults();
    check_staleness();
    check_interrupts();
    print("the device reaches what it is let, %u faults told of\n", faults);
    return 0;
}
