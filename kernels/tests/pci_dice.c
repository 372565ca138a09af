// Throws dice at everything that is on the kernel's PCI bus: configuration, base addresses, messages, registers, rings
// of descriptors, DMA to wherever. Claims nothing but that it gets to the end of its throws.
#include "../devices/edu.h"
#include "../devices/virtio.h"
#include "dice.h"

#define ARENA  0x8000
#define WINDOW 0xe1000000
#define SPAN   0x1000000                        // the part of PCI memory that is for the functions of segment 0

static u64 functions[3];
static u32 bases[3][6];
static u8 arena[ARENA] __attribute__((aligned(4096)));
static u64 interrupts;

static void on_any(struct trapframe *frame) { interrupts++; lapic_eoi(); }

// An address: in the arena, at its end, a neighbour's, the firmware's, where messages go, or nowhere. Not in the image.
static u64 somewhere(void) {
    u64 seams[] = { 0, 0x70000, 0xa0000 - 2, 0x100000, option_number("neighbour", 0), option_number("neighbour", 0) - 2,
                    0x1fffffc, 0x2000000, MSI_ADDRESS, 0xe0000000, WINDOW, ~0ul - 7, 1ul << 40, 1ul << 63 };
    return below(2) ? physical(arena) + below(ARENA + 16) - 8 : seams[below(sizeof seams / 8)];
}

static u32 number(void) {
    u32 usual[] = { 0, 1, 2, 3, 4, 6, 7, 8, 11, 15, 16, 512, 4096, 0x407, ~0u, 0x10000, 0x80000000 };
    return below(4) ? usual[below(sizeof usual / 4)] : dice();
}

static void throw_at_configuration(void) {
    u64 f = functions[below(3)] + below(2) * 0x1000 * below(8);
    u32 at = below(2) ? 4 + below(12) * 4 : below(0x110) & ~3u;
    u32 value = at >= 0x10 && at < 0x28 ? WINDOW + below(SPAN) : number();
    bool message = at == 0x4c;                  // no exception and no INIT for itself
    if (message)
        value = 0x20 + below(0xd0);
    switch (below(4)) {
    case 0: pci_read(f, at + below(4)); break;
    case 1: pci_write16(f, at + (message ? 0 : below(3)), value); break;
    default: pci_write(f, at, value);
    }
}

// An entry of the MSI-X table, or any other register where a device answers by now.
static void throw_at_memory(void) {
    u64 base = pci_read(functions[1 + below(2)], PCI_BASE + 4 * below(6)) & ~0xfu;
    u64 at = (base + (below(3) ? below(0x40) : below(0x4000))) & ~3ul;
    if (base < WINDOW || base >= 0xf0000000)
        at = (WINDOW + below(SPAN)) & ~3ul;
    u32 value = (at & 15) == 8 ? 0x20 + below(0xd0) : (at & 15) == 0 ? (u32)somewhere() : number();
    switch (below(5)) {
    case 0: *(volatile u8 *)direct(at) = value; break;
    case 1: *(volatile u16 *)direct(at) = value; break;
    case 2: *(volatile u64 *)direct(at & ~7ul); break;
    default: *(volatile u32 *)direct(at) = value;
    }
}

static void throw_at_ring(void) {
    struct virtio disk = virtio_find(VIRTIO_BLOCK);
    struct virtq *queue = (struct virtq *)arena;
    if (!disk.common || (u64)disk.common < (u64)direct(WINDOW))
        return;
    if (below(4))
        virtio_start(disk, queue);
    else
        disk.common->table = somewhere(), disk.common->device = somewhere();
    for (u32 i = 0; i < QUEUE_SIZE; i++) {
        virtio_describe(queue, i, below(3) ? physical(arena) + 0x1000 : somewhere(), number(), below(8));
        queue->table[i].next = below(4) ? i + 1 : below(300);
        queue->available.ring[i] = below(4) ? below(8) : below(300);
    }
    queue->table[0].length = 16;
    queue->table[0].flags = VIRTIO_NEXT;
    ((u32 *)(arena + 0x1000))[0] = below(4) ? below(2) : number();
    ((u64 *)(arena + 0x1000))[1] = below(3) ? below(70) : dice();
    queue->available.flags = 0;
    queue->available.index = below(8) ? queue->used.index + below(9) : below(0x10000);
    disk.notify[0] = 0;
    delay_us(15);
}

static void throw_at_dma(void) {
    struct edu edu = edu_find();
    if ((u64)edu.memory < (u64)direct(WINDOW))
        return;
    u64 there = somewhere(), here = EDU_BUFFER + below(8) * 600;
    bool out = below(2);
    edu_start(edu, out ? here : there, out ? there : here, below(4) ? below(2000) : number(), below(4) ? below(8) | EDU_RUN : number());
    if (below(2))
        delay_us(8);
}

// Where the devices were, now and then: or little would be left to play with.
static void restore(void) {
    for (u32 f = 1; f < 3; f++) {
        for (u32 bar = 0; bar < 6; bar++)
            pci_write(functions[f], PCI_BASE + 4 * bar, bases[f][bar]);
        pci_write16(functions[f], PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
        if (below(2) && pci_capability(functions[f], PCI_CAP_MSI))
            msi_enable(functions[f], lapic_id(), 0x20 + below(0xd0));
    }
}

int main(void) {
    void (*acts[])(void) = { throw_at_configuration, throw_at_memory, throw_at_memory, throw_at_ring, throw_at_dma };
    u64 count = option_number("acts", 1000);
    dice_state = option_number("seed", 1) * 0x9e3779b97f4a7c15;
    for (u32 vector = 32; vector < VECTOR_SPURIOUS; vector++)
        trap_handler(vector, on_any);
    trap_handler(NMI, on_any);
    functions[0] = ((const struct mcfg *)acpi_table("MCFG"))->base;
    functions[1] = edu_find().function;
    functions[2] = virtio_find(VIRTIO_BLOCK).function;
    for (u32 f = 1; f < 3; f++)
        for (u32 bar = 0; bar < 6; bar++)
            bases[f][bar] = pci_read(functions[f], PCI_BASE + 4 * bar);
    for (u64 n = 0; n < count; n++) {
        if (!below(8))
            restore();
        acts[below(5)]();
        take_interrupts();
    }
    print("%lu throws, %s\n", count, interrupts ? "some of them interrupted" : "and no interrupt");
    return 0;
}
