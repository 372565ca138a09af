// A kernel that does one thing to others, the one that its command line names. Ends with the number of pages of
// theirs whose secrets it has. With "blind" its page tables have nothing but what is its own.
#include "../devices/edu.h"
#include "../devices/vtd.h"
#include "field.h"

#define VECTOR        0x66
#define FLOOD         10000
#define WALKED        (2ull << 39)              // virtual addresses translated by a table of the ward's
#define ICR_SMI       0x0200
#define CARD_COMMAND  0x80000804                // mechanism 1: 00:01.0, the command register
#define COM1_SCRATCH  0x3ff
#define PIC_MASK      0x21
#define PIT_CONTROL   0x43
#define RTC_INDEX     0x70
#define RTC_STATUS_B  0x0b
#define HPET_CONFIG   0xfed00010
#define RESET_CONTROL 0xcf9
#define IOMMU         0xfed90000
#define UNITS         3
#define IMAGE_SIZE    0x200000

static u64 field, card, ioapic, ward_apic;
static u32 loot;

static u64 load(u64 at, u64 unused) { return *(volatile u64 *)direct(at); }
static u64 store(u64 at, u64 value) { return *(volatile u64 *)direct(at) = value; }
static u64 load32(u64 at, u64 unused) { return *(volatile u32 *)direct(at); }
static u64 store32(u64 at, u64 value) { return *(volatile u32 *)direct(at) = value; }
static u64 call(u64 at, u64 unused) { return ((u32 (*)(void))at)(); }
static u64 out8(u64 port, u64 value) { outb(port, value); return 0; }
static u64 out32(u64 port, u64 value) { outl(port, value); return 0; }
static u64 set_msr(u64 msr, u64 value) { wrmsr(msr, value); return 0; }

static u64 send(u64 icr, u64 destination) {
    lapic_send(destination, icr);
    return 0;
}

static u64 page(u64 number) { return field + number * PAGE; }
static u64 secret(u64 number) { return field_word(field, number * PAGE_WORDS); }

// memory

static void read(void) {
    for (u64 i = 0; i < FIELD_PAGES; i++) {
        struct outcome o = probe(load, page(i), 0);
        loot += o.vector < 0 && o.value == secret(i);
    }
}

static void write(void) {
    for (u64 i = 0; i < FIELD_PAGES; i++)
        probe(store, page(i), 0);
}

static void execute(void) {
    struct outcome o = probe(call, page(CODE_PAGE), 0);
    loot += o.vector < 0 && o.value == CODE_VALUE;
}

static u64 look_through(u64 table, u64 at) {
    pml4[2] = table | PTE_P | PTE_W;
    invlpg(WALKED + at);
    return *(volatile u64 *)(WALKED + at);
}

static void walk(void) {
    struct outcome o = probe(look_through, page(TABLE_PAGE), low_page);
    loot += o.vector < 0;
}

// cores

static void message(u32 icr) {
    probe(send, icr, ward_apic);
    delay_us(20);
}

static void ipi(void) { message(VECTOR); }
static void broadcast(void) { message(ICR_OTHERS | VECTOR); }
static void nmi(void) { message(ICR_NMI); }
static void smi(void) { message(ICR_SMI); }
static void init(void) { message(ICR_INIT); }

static void flood(void) {
    for (u32 i = 0; i < FLOOD; i++)
        probe(send, ICR_OTHERS | VECTOR, 0);
}

// devices

static void redirect(void) {
    probe(store32, ioapic, 0x10 + 2 * 4);
    probe(store32, ioapic + 0x10, VECTOR);
}

static void legacy(void) {
    probe(out8, PIC_MASK, 0);
    probe(out8, PIT_CONTROL, 0x34);
    probe(out8, RTC_INDEX, RTC_STATUS_B);
    probe(out8, RTC_INDEX + 1, 0x72);
    probe(store, HPET_CONFIG, 1);
}

static void uart(void) { probe(out8, COM1_SCRATCH, 0x5a); }
static void device(void) { probe(store32, card + EDU_LIVENESS, 1); }

static void configure(void) {
    probe(out32, 0xcf8, CARD_COMMAND);
    probe(out32, 0xcfc, 0);
}

static u64 move(u64 function, u64 to) {
    pci_write(function, PCI_BASE, to);
    return load32(card + EDU_ID, 0);
}

static void overlap(void) { probe(move, edu_find().function, card); }

// a device of our own

static struct edu weapon(void) {
    struct edu edu = edu_find();
    CHECK(edu.function);
    pci_write16(edu.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    return edu;
}

static void dma_read(void) {
    static u64 words[PAGE_WORDS] __attribute__((aligned(PAGE)));
    struct edu edu = weapon();
    for (u64 i = 0; i < FIELD_PAGES; i++) {
        edu_from_memory(edu, page(i), 8);
        edu_to_memory(edu, physical(words), 8);
        loot += words[0] == secret(i);
    }
}

static void dma_write(void) {
    struct edu edu = weapon();
    for (u64 i = 0; i < FIELD_PAGES; i++)
        edu_to_memory(edu, page(i), 8);
}

static void dma_flood(void) {
    struct edu edu = weapon();
    for (u64 i = 0; i < FIELD_PAGES; i++)
        edu_to_memory(edu, page(i), PAGE);
}

// From the image's start on: its code, its page tables, its stacks.
static void dma_image(void) {
    struct edu edu = weapon();
    for (u64 at = 0; at < IMAGE_SIZE; at += PAGE)
        edu_to_memory(edu, field - FIELD + at, PAGE);
}

// Switch off all units of the IOMMU that there may be, and then as if there were none.
static void unmap(void) {
    for (u64 unit = 0; unit < UNITS; unit++)
        probe(store32, IOMMU + unit * PAGE + VTD_COMMAND, 0);
    dma_write();
}

static void forge(void) {
    struct edu edu = weapon();
    msi_enable(edu.function, ward_apic, VECTOR);
    edu_write(edu, EDU_RAISE, 1);
    delay_us(20);
}

static void msi_flood(void) {
    struct edu edu = weapon();
    msi_enable(edu.function, ward_apic, VECTOR);
    for (u32 i = 0; i < FLOOD; i++)
        edu_write(edu, EDU_RAISE, 1);
}

// what a processor can do to all others of some machines

static void clock(void) { probe(set_msr, 0x10, 1ull << 40); }

static void triple_fault(void) {
    static const struct { u16 limit; u64 base; } __attribute__((packed)) none;
    asm volatile("lidt %0; int3" :: "m"(none));
}

static void reset(void) { outb(RESET_CONTROL, 6); }

static void none(void) {}

static const struct { const char *name; void (*run)(void); } attacks[] = {
    { "none", none }, { "read", read }, { "write", write }, { "execute", execute }, { "walk", walk },
    { "ipi", ipi }, { "broadcast", broadcast }, { "nmi", nmi }, { "smi", smi }, { "init", init }, { "flood", flood },
    { "redirect", redirect }, { "legacy", legacy }, { "uart", uart }, { "device", device },
    { "configure", configure }, { "overlap", overlap }, { "dma-read", dma_read }, { "dma-write", dma_write },
    { "dma-flood", dma_flood }, { "dma-image", dma_image }, { "unmap", unmap }, { "forge", forge },
    { "msi-flood", msi_flood }, { "clock", clock }, { "triple-fault", triple_fault },
    { "reset", reset },
};

// Leave nothing mapped of what others own: memory, I/O APICs and HPET, their devices.
static void put_on_blindfold(void) {
    u64 own = physical((void *)(KERNBASE + IMAGE)), kept[] = { 0, own, own + 0x200000 };
    u64 *pdpt = direct(pml4[0] & ~0xffful);
    for (u64 at = 0; at < 0xc0000000; at += 0x200000) {
        bool ours = at == kept[0] || at == kept[1] || at == kept[2];
        ((u64 *)direct(pdpt[at >> 30] & ~0xffful))[at >> 21 & 511] *= ours;
    }
    u64 *devices = direct(pdpt[3] & ~0xffful);
    devices[card >> 21 & 511] = devices[ioapic >> 21 & 511] = 0;
    write_cr3(read_cr3());
}

int main(void) {
    field = option_number("ward", 0) + FIELD;
    card = option_number("card", 0);
    ioapic = option_number("ioapic", 0);
    ward_apic = option_number("apic", 0);
    delay_us(500);                              // until the wards have written their fields
    if (option("blind"))
        put_on_blindfold();
    for (u64 i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (option(attacks[i].name))
            attacks[i].run();
    return loot;
}
