// Two peers share a window, and ring each other by their ivshmem devices: MSI-X, states, one-shot interrupts.
// Documentation/ivshmem-v2-specification.md of Jailhouse. `times` says how often.
#include "../lib/check.h"
#include "../devices/pci.h"

#define VECTOR 0x54
enum { ID = 0, PEERS = 1, INTERRUPTS = 2, DOORBELL = 3, STATE = 4 };    // registers, by words
enum { READY = 1, DONE = 2 };                                           // states

static u32 heard;

static void on_message(struct trapframe *frame) { heard++; lapic_eoi(); }

int main(void) {
    u64 function = pci_find(0x110a, 0x4106);
    CHECK(function);
    u32 at = pci_capability(function, 0x09), times = option_number("times", 1);
    volatile u32 *registers = direct(pci_read(function, PCI_BASE) & ~0xfu);
    volatile u32 *table = direct(pci_read(function, PCI_BASE + 4) & ~0xfu);
    struct window shared = window("common");
    volatile u32 *states = (u32 *)shared.base, *turn = states + 1024;
    CHECK(shared.base && physical((void *)states) == ((u64)pci_read(function, at + 28) << 32 | pci_read(function, at + 24)));
    CHECK(pci_read(function, at + 4) == 4096 && pci_read(function, at + 8) == shared.size - 4096 && registers[PEERS] == 2);
    trap_handler(VECTOR, on_message);
    pci_write16(function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    pci_write16(function, pci_capability(function, 0x11) + 2, 0x8000);
    for (u32 vector = 0; vector < 2; vector++) {
        table[4 * vector] = MSI_ADDRESS | lapic_id() << 12;
        table[4 * vector + 2] = VECTOR;
        table[4 * vector + 3] = 0;
    }
    u32 me = registers[ID], other = 1 - me;
    registers[INTERRUPTS] = 1;
    registers[STATE] = READY;
    while (states[other] != READY)
        pause();
    for (u32 n = 0; n < times; n++) {                                   // the turn goes to and fro
        while (load_acquire(turn) % 2 != me)
            wait_interrupt();
        store_release(turn, *turn + 1);
        registers[DOORBELL] = other << 16 | 1;
    }
    registers[STATE] = DONE;
    while (states[other] != DONE)
        pause();
    delay_us(10);
    take_interrupts();
    CHECK(heard >= times && heard <= times + 2 && *turn == 2 * times);
    heard = 0;
    pci_write16(function, at + 2, pci_read16(function, at + 2) | 0x100); // one-shot
    for (u32 n = 0; n < 3; n++)
        registers[DOORBELL] = me << 16 | 1;
    delay_us(10);
    take_interrupts();
    CHECK(heard == 1 && !registers[INTERRUPTS]);
    print("%u rings\n", times);
    return 0;
}
