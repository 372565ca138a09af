// A kernel with a device behind another kernel's IOMMU. Claims that the device reaches what was asked for and is its
// own, and no more: not what was refused, not what was never asked for, not what was given back.
#include "../devices/edu.h"
#include "service.h"

static struct edu edu;
static struct service *service;
static u64 pages[2][512] __attribute__((aligned(4096)));

static u32 ask(u32 request, u32 slot, u64 page, u32 rights) {
    service->slot = slot;
    service->page = page;
    service->rights = rights;
    store_release(&service->request, request);
    while (load_acquire(&service->request) != NOTHING)
        pause();
    return service->answer;
}

// Whether the device was refused since the last look.
static bool aborted(void) {
    u16 status = pci_read16(edu.function, PCI_STATUS);
    pci_write16(edu.function, PCI_STATUS, status);
    return status & PCI_TARGET_ABORT;
}

static bool copies(u32 from, u32 to) {
    edu_from_memory(edu, from * PAGE_SIZE, 8);
    edu_to_memory(edu, to * PAGE_SIZE, 8);
    return !aborted();
}

static void await_faults(u32 count) {
    while (load_acquire(&service->faults) < count)
        pause();
}

int main(void) {
    service = service_window();
    edu = edu_find();
    CHECK(edu.function);
    pci_write16(edu.function, PCI_COMMAND, PCI_MEMORY_ON | PCI_MASTER);
    while (!load_acquire(&service->ready))
        pause();
    pages[0][0] = 0x1234;
    CHECK(ask(MAP, 1, physical(pages[0]), 1) == DONE && ask(MAP, 2, physical(pages[1]), 2) == DONE);
    CHECK(copies(1, 2) && pages[1][0] == 0x1234);
    CHECK(ask(MAP, 3, option_number("secret", 0), 3) == REFUSED);
    CHECK(!copies(3, 2) && pages[1][0] == ~0ul);
    await_faults(1);
    CHECK(!copies(1, 1));                       // which it may only read
    await_faults(2);
    CHECK(ask(UNMAP, 1, 0, 0) == DONE && !copies(1, 2));
    await_faults(3);
    store_release(&service->request, GONE);
    print("the device reached what was asked for\n");
    return 0;
}
