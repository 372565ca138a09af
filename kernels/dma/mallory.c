// A kernel that owns a device, and lets it do what it may not do itself: read and overwrite the memory of another,
// write into its page tables, and interrupt its core by message. Then it reaches for the other's device: its
// registers, its configuration, its place in memory. Claims that of all this just what the command line names
// happens: what goes by "memory", by "messages", by "registers", or with "trust" all but the last.
#include "../devices/edu.h"
#include "../rogue/board.h"

#define VECTOR 0x66
#define WORDS  16

static struct edu edu;
static u32 surprises;
static u64 loot[WORDS];

static void report(const char *what, bool happened, const char *way) {
    print("%s: %s\n", what, happened ? "it happened" : "refused");
    surprises += happened != (option("trust") || option(way));
}

static u64 read(u64 at, u64 unused) { return *(volatile u32 *)direct(at); }

static void attack(const char *what, u64 at) {
    struct outcome o = probe(read, at, 0);
    report(what, o.vector != MC, "registers");
}

// Whether the device was told that its DMA was refused; forgotten then.
static bool aborted(void) {
    u16 status = pci_read16(edu.function, PCI_STATUS);
    pci_write16(edu.function, PCI_STATUS, status);
    return status & PCI_TARGET_ABORT;
}

static void attack_memory(u64 secret, u64 tables) {
    edu_from_memory(edu, secret, sizeof loot);
    bool refused = aborted();
    edu_to_memory(edu, physical(loot), sizeof loot);
    CHECK(refused == (loot[0] == ~0ul));
    report("have the device read the victim's memory", !refused, "memory");
    edu_to_memory(edu, secret + 0x1000, sizeof loot);
    report("have it overwrite the victim's memory", !aborted(), "memory");
    edu_to_memory(edu, tables + 8 * UNUSED, 8);
    report("have it write the victim's page tables", !aborted(), "memory");
}

static void attack_core(u32 apic_id) {
    msi_enable(edu.function, apic_id, VECTOR);
    edu_write(edu, EDU_RAISE, 1);
    edu_write(edu, EDU_ACKNOWLEDGE, 1);
    delay_us(20);                               // until it has arrived, or been refused
}

static void attack_place(u64 place) {
    u32 before = pci_read(edu.function, PCI_BASE);
    pci_write(edu.function, PCI_BASE, place);
    CHECK(edu_read(edu, EDU_ID) == 0x010000ed);         // it is where it was
    pci_write(edu.function, PCI_BASE, before);
    print("move the device over the victim's: refused\n");
}

int main(void) {
    struct board *board = board_window();
    edu = edu_find();
    CHECK(edu.function);
    pci_write16(edu.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    while (!load_acquire(&board->ready))
        pause();
    attack_memory(option_number("victim", 0) + SECRET, board->tables);
    attack_core(option_number("apic", 0));
    attack("read the victim's device", option_number("device", 0));
    attack("read its configuration", option_number("configuration", 0));
    attack_place(option_number("device", 0));
    fetch_add(&board->done, 1);
    CHECK(!surprises);
    return 0;
}
