// A virtio block device: what is written is read again, what cannot be is an error, and a ring that makes no sense ends
// in the device's need of a reset, from which it comes back. Virtio 1.1, 2.1.2, 2.6 and 5.2.6.
#include "../lib/check.h"
#include "../devices/virtio.h"

enum { READ = 0, WRITE = 1, FLUSH = 4, ID = 8 };
enum { OK = 0, ERROR = 1, UNSUPPORTED = 2, NONE = 0xff };
#define SECTOR   512
#define MESSAGE  0x52

static struct virtio disk;
static struct virtq queue;
static struct { u32 type, reserved; u64 sector; } header;
static u8 status, data[4 * SECTOR], again[4 * SECTOR];
static u32 messages;

static void on_message(struct trapframe *frame) { messages++; lapic_eoi(); }

static void describe(u32 type, u64 sector, u64 address, u32 length) {
    header.type = type;
    header.sector = sector;
    status = NONE;
    virtio_describe(&queue, 0, physical(&header), sizeof header, VIRTIO_NEXT);
    virtio_describe(&queue, 1, address, length, VIRTIO_NEXT | (type == WRITE ? 0 : VIRTIO_WRITE));
    virtio_describe(&queue, 2, physical(&status), 1, VIRTIO_WRITE);
    if (!length)
        queue.table[0].next = 2;
}

static u8 request(u32 type, u64 sector, void *at, u32 length) {
    u16 used = queue.used.index;
    describe(type, sector, at ? physical(at) : 0, length);
    virtio_offer(disk, &queue, 0);
    while (load_acquire(&queue.used.index) == used)
        pause();
    return load_acquire(&status);
}

static void check_requests(void) {
    u64 sectors = *(volatile u64 *)disk.device;
    CHECK(sectors == option_number("sectors", 0));
    CHECK(request(READ, 0, again, SECTOR) == OK && same((char *)again, "the first sector"));
    for (u32 i = 0; i < sizeof data; i++)
        data[i] = i * 5 + (i >> 8);
    CHECK(request(WRITE, 3, data, sizeof data) == OK);
    CHECK(request(READ, 3, again, sizeof again) == OK && !memcmp(data, again, sizeof data));
    CHECK(queue.used.ring[(queue.used.index - 1) % QUEUE_SIZE].length == sizeof again + 1);
    CHECK(request(FLUSH, 0, NULL, 0) == OK);
    CHECK(request(ID, 0, again, 20) == OK && same((char *)again, "mksim disk"));
    CHECK(request(READ, sectors, again, SECTOR) == ERROR && request(READ, ~0ul, again, SECTOR) == ERROR);
    CHECK(request(WRITE, sectors - 1, data, 2 * SECTOR) == ERROR && request(77, 0, data, SECTOR) == UNSUPPORTED);
    CHECK(disk.isr[0] == 1 && disk.isr[0] == 0);                // reading it clears it
}

// By MSI-X: entry 0 of the table in base address 1 is the queue's.
static void check_message(void) {
    u32 at = pci_capability(disk.function, 0x11);
    volatile u32 *table = direct(pci_read(disk.function, PCI_BASE + 4) & ~0xfu);
    trap_handler(MESSAGE, on_message);
    table[0] = MSI_ADDRESS | lapic_id() << 12;
    table[2] = MESSAGE;
    disk.common->entry = 0;
    pci_write16(disk.function, at + 2, 0x8000);
    CHECK(disk.common->entry == 0 && request(FLUSH, 0, NULL, 0) == OK);
    take_interrupts();
    CHECK(!messages && table[0x200] == 1);                      // it is masked, and pending
    table[3] = 0;
    take_interrupts();
    CHECK(messages == 1 && !table[0x200]);
}

// The same request cut otherwise: the header in two pieces, data and status in one, and those in an indirect table.
static void check_framing(void) {
    static struct { u8 data[SECTOR], status; } whole;
    static struct { u64 address; u32 length; u16 flags, next; } inner[2] __attribute__((aligned(16)));
    virtio_begin(disk, VIRTIO_FLUSH | VIRTIO_INDIRECT_TABLES);
    virtio_queue(disk, 0, &queue);
    CHECK(virtio_ready(disk));
    describe(READ, 3, 0, 0);
    whole.status = NONE;
    virtio_describe(&queue, 0, physical(&header), 4, VIRTIO_NEXT);
    virtio_describe(&queue, 1, physical(inner), sizeof inner, VIRTIO_INDIRECT);
    inner[0].address = physical(&header) + 4, inner[0].length = 12, inner[0].flags = VIRTIO_NEXT, inner[0].next = 1;
    inner[1].address = physical(&whole), inner[1].length = sizeof whole, inner[1].flags = VIRTIO_WRITE;
    virtio_offer(disk, &queue, 0);
    while (!load_acquire(&queue.used.index))
        pause();
    CHECK(whole.status == OK && !memcmp(whole.data, data, SECTOR) && queue.used.ring[0].length == sizeof whole);
    CHECK(virtio_start(disk, &queue));
}

// The function is as after power-on, but for its memory, which is switched off and nowhere.
static void check_function_reset(void) {
    u32 at = pci_capability(disk.function, 0x10), bar1 = pci_read(disk.function, PCI_BASE + 4),
        bar4 = pci_read(disk.function, PCI_BASE + 16);
    CHECK(at && pci_read(disk.function, at + 4) & 1u << 28);
    describe(READ, 0, physical(again), SECTOR);
    virtio_offer(disk, &queue, 0);
    pci_write16(disk.function, at + 8, 0x8000);
    delay_us(30);
    CHECK(status == NONE && !pci_read16(disk.function, PCI_COMMAND) && !(pci_read16(disk.function, at + 8) & 0x8000));
    CHECK(!(pci_read(disk.function, PCI_BASE + 16) & ~0xfu) && disk.common->size == 0xffff);
    CHECK(!(pci_read16(disk.function, pci_capability(disk.function, 0x11) + 2) & 0x8000));
    pci_write(disk.function, PCI_BASE + 4, bar1);
    pci_write(disk.function, PCI_BASE + 16, bar4);
    pci_write16(disk.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    CHECK(!disk.common->status && virtio_start(disk, &queue) && request(READ, 3, again, sizeof again) == OK);
}

static void break_with(const char *what) {
    virtio_offer(disk, &queue, 0);
    while (!(disk.common->status & VIRTIO_NEEDS_RESET))
        pause();
    print("%s: the device wants a reset\n", what);
    CHECK(status == NONE && virtio_start(disk, &queue) && request(READ, 3, again, sizeof again) == OK);
}

static void check_nonsense(void) {
    describe(READ, 0, physical(again), SECTOR);
    queue.table[1].next = 1;
    break_with("a circle");
    describe(READ, 0, physical(again), SECTOR);
    queue.table[1].next = 1000;
    break_with("a descriptor that is not there");
    describe(READ, 0, physical(again), SECTOR);
    queue.table[1].flags |= VIRTIO_INDIRECT;
    break_with("an indirect descriptor");
    describe(READ, 0, physical(again), SECTOR);
    queue.table[1].length = queue.table[2].length = 0;
    break_with("no room for the status");
    describe(READ, 0, physical(again), SECTOR);
    queue.available.index += 1000;
    break_with("more than the queue holds");
    CHECK(!memcmp(data, again, sizeof data));
}

// In its first life it dies with requests in flight: the reset that comes before the second must end those.
static void check_reset(void) {
    CHECK(request(READ, 9, again, SECTOR) == OK);
    if (again[0] == 'x') {
        print("a second life\n");
        return;
    }
    memset(data, 'x', sizeof data);
    CHECK(request(WRITE, 9, data, SECTOR) == OK);
    describe(READ, 0, physical(again), SECTOR);
    virtio_offer(disk, &queue, 0);
    struct { u16 limit; u64 base; } __attribute__((packed)) nothing = { 0, 0 };
    asm volatile("lidt %0; int3" :: "m"(nothing));
}

int main(void) {
    disk = virtio_find(VIRTIO_BLOCK);
    CHECK(disk.common && disk.notify && disk.isr && disk.device);
    pci_write16(disk.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    CHECK(!disk.common->status && virtio_start(disk, &queue));
    if (option("dies"))
        check_reset();
    check_requests();
    check_framing();
    check_message();
    check_function_reset();
    check_nonsense();
    print("the disk keeps what it is given, and its head\n");
    return 0;
}
