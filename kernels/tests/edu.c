// A device on PCI: QEMU's educational one. Its registers, its DMA, its interrupts by pin and by message, and its
// memory, which moves while it is in use. PCI 3.0, 6.2.5.1 and 6.8.1; QEMU, docs/specs/edu.rst.
#include "../lib/check.h"
#include "../devices/edu.h"

#define PIN      17                             // INTA# of device 1
#define BY_PIN   0x50
#define BY_MSI   0x51
#define LEVEL    0xa000                         // level triggered, active low, as PCI's pins are
#define PAGES    0x1000

static struct edu edu;
static u32 by_pin, by_msi, last;
static u8 sent[PAGES] __attribute__((aligned(8))), received[PAGES] __attribute__((aligned(8)));

static void acknowledge(void) {
    last = edu_read(edu, EDU_INTERRUPTS);
    edu_write(edu, EDU_ACKNOWLEDGE, last);
    lapic_eoi();
}

static void on_pin(struct trapframe *frame) { by_pin++; acknowledge(); }
static void on_msi(struct trapframe *frame) { by_msi++; acknowledge(); }

static void check_registers(void) {
    CHECK(edu_read(edu, EDU_ID) == 0x010000ed);
    edu_write(edu, EDU_LIVENESS, 0x12345678);
    CHECK(edu_read(edu, EDU_LIVENESS) == ~0x12345678u);
    edu_write(edu, EDU_FACTORIAL, 10);
    while (edu_read(edu, EDU_STATUS) & EDU_COMPUTING)
        pause();
    CHECK(edu_read(edu, EDU_FACTORIAL) == 3628800);
}

static void check_base_address(void) {
    u32 before = pci_read(edu.function, PCI_BASE), size;
    pci_write(edu.function, PCI_BASE, ~0u);
    size = ~(pci_read(edu.function, PCI_BASE) & ~0xfu) + 1;
    CHECK(size == 0x100000);
    pci_write(edu.function, PCI_BASE, before + size);           // while it is mapped
    CHECK(edu_read(edu, EDU_ID) == ~0u);
    edu.memory += size;
    CHECK(edu_read(edu, EDU_ID) == 0x010000ed);
    pci_write16(edu.function, PCI_COMMAND, 0);
    CHECK(edu_read(edu, EDU_ID) == ~0u);
    pci_write16(edu.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    CHECK(edu_read(edu, EDU_LIVENESS) == ~0x12345678u);
}

static void check_pin(void) {
    trap_handler(BY_PIN, on_pin);
    ioapic_write(0x10 + 2 * PIN + 1, lapic_id() << 24);
    ioapic_write(0x10 + 2 * PIN, LEVEL | BY_PIN);
    edu_write(edu, EDU_RAISE, 0x42);
    while (!by_pin)
        wait_interrupt();
    take_interrupts();
    CHECK(by_pin == 1 && last == 0x42 && !edu_read(edu, EDU_INTERRUPTS));
}

static void check_message(void) {
    trap_handler(BY_MSI, on_msi);
    msi_enable(edu.function, lapic_id(), BY_MSI);
    edu_write(edu, EDU_STATUS, EDU_INTERRUPT);
    edu_write(edu, EDU_FACTORIAL, 3);
    while (!by_msi)
        wait_interrupt();
    CHECK(last == 1 && edu_read(edu, EDU_FACTORIAL) == 6 && by_pin == 1);
}

static void check_dma(void) {
    for (u32 i = 0; i < PAGES; i++)
        sent[i] = i * 7 + (i >> 8);
    edu_from_memory(edu, physical(sent), PAGES);
    edu_start(edu, EDU_BUFFER, physical(received), PAGES, EDU_TO_MEMORY | EDU_DMA_INTERRUPT);
    while (by_msi < 2)
        wait_interrupt();
    CHECK(last == 0x100 && !memcmp(sent, received, PAGES));
    edu_start(edu, EDU_BUFFER + 1, physical(sent), PAGES, EDU_TO_MEMORY);
    edu_wait(edu);                                              // it would leave the buffer
    CHECK(!memcmp(sent, received, PAGES) && !(pci_read16(edu.function, PCI_STATUS) & PCI_MASTER_ABORT));
    edu_from_memory(edu, 0xf000000, 8);                         // nobody's address
    edu_to_memory(edu, physical(received), 8);
    CHECK(*(u64 *)received == ~0ul && pci_read16(edu.function, PCI_STATUS) & PCI_MASTER_ABORT);
}

int main(void) {
    edu = edu_find();
    CHECK(edu.function && pci_read8(edu.function, 0x3d) == 1);
    check_registers();
    check_base_address();
    check_pin();
    check_message();
    check_dma();
    print("the device computes, interrupts and moves memory\n");
    return 0;
}
