// A kernel that has the IOMMU and serves another with it: it maps what the other asks for, if that is the other's, and
// hears of what the other's device tries besides. Claims that it was told of every such attempt.
#include "service.h"

#define SEGMENT  1                              // the client's
#define ON_FAULT 0x51

static struct vtd vtd;
static struct vtd_tables tables;
static struct service *service;
static u64 first, end;                          // the client's memory, by the command line

static void on_fault(struct trapframe *frame) {
    for (u32 at = VTD_RECORD; at < VTD_RECORD + 16 * 8; at += 16)
        if (vtd_read(&vtd, at + 12) & VTD_FAULT) {
            print("the client's device tried %#x: reason %u\n", vtd_read(&vtd, at), vtd_read(&vtd, at + 12) & 0xff);
            vtd_write(&vtd, at + 12, VTD_FAULT);
            fetch_add(&service->faults, 1);
        }
    lapic_eoi();
}

static void take_faults(void) {
    trap_handler(ON_FAULT, on_fault);
    vtd_write(&vtd, VTD_EVENT_DATA, ON_FAULT);
    vtd_write(&vtd, VTD_EVENT_ADDRESS, MSI_ADDRESS | lapic_id() << 12);
    vtd_write(&vtd, VTD_EVENT, 0);
}

static u32 serve(u32 request) {
    if (service->slot >= SLOTS || (request == MAP && (service->page < first || service->page >= end)))
        return REFUSED;
    vtd_map(&vtd, service->slot, request == MAP ? service->page & -PAGE_SIZE : 0, request == MAP ? service->rights & 3 : 0);
    vtd_forget_page(&vtd, service->slot * PAGE_SIZE);
    return DONE;
}

int main(void) {
    service = service_window();
    first = option_number("first", 0);
    end = option_number("end", 0);
    vtd_find(&vtd, SEGMENT);
    CHECK(vtd.registers);
    vtd_start(&vtd, &tables, SOURCE);
    take_faults();
    store_release(&service->ready, 1);
    u32 served = 0, refused = 0, request;
    while ((request = load_acquire(&service->request)) != GONE) {
        take_interrupts();
        if (request == NOTHING)
            continue;
        service->answer = serve(request);
        served += service->answer == DONE;
        refused += service->answer == REFUSED;
        store_release(&service->request, NOTHING);
    }
    take_interrupts();
    print("%u requests served, %u refused, %u attempts told of\n", served, refused, service->faults);
    return 0;
}
