// What the machine says about us beyond ACPI: the vendor table "MKPT", described in mksim/spec/partition.py.
#include "kernel.h"
#include "../../build/include/partition.h"

const char *kernel_name = "kernel";
u32 kernel_id;
u64 low_page = 0x8000;                          // without the table we are alone on a PC
u64 tsc_hz = 1000000000;
static const struct mkpt *mkpt;

void partition_init(void) {
    mkpt = acpi_table("MKPT");
    if (!mkpt)
        return;
    kernel_name = mkpt->name;
    kernel_id = mkpt->kernel;
    low_page = mkpt->low_base;
    tsc_hz = mkpt->rate;
}

// Entry `i` of one of the table's arrays; NULL past its end.
static const void *entry(const struct partition_array *array, u32 i, u32 size) {
    return i < array->count ? (const char *)mkpt + array->offset + i * size : NULL;
}

// The first UART of ours with a wire to that kernel.
struct serial serial_to(const char *peer) {
    const struct mkpt_serial *s;
    for (u32 i = 0; mkpt && (s = entry(&mkpt->serial, i, sizeof *s)); i++)
        if (s->peer != NOBODY && same(s->name, peer))
            return (struct serial){ s->port, s->irq, true };
    return (struct serial){ 0, 0, false };
}

// The window of that name, if we were granted one.
struct window window(const char *name) {
    const struct mkpt_window *w;
    for (u32 i = 0; mkpt && (w = entry(&mkpt->windows, i, sizeof *w)); i++)
        if (same(w->name, name))
            return (struct window){ direct(w->base), w->size, w->rights };
    return (struct window){ NULL, 0, 0 };
}

static struct doorbell find_doorbell(const struct partition_array *array, const char *peer) {
    const struct mkpt_doorbell *d;
    for (u32 i = 0; (d = entry(array, i, sizeof *d)); i++)
        if (d->delivery == DELIVERY_FIXED && same(d->name, peer))
            return (struct doorbell){ d->apic_id, d->first_vector, true };
    return (struct doorbell){ 0, 0, false };
}

// The first vector that we may send to a peer's boot core.
struct doorbell doorbell_to(const char *peer) {
    return mkpt ? find_doorbell(&mkpt->outgoing, peer) : (struct doorbell){ 0, 0, false };
}

// The first vector that a peer may send to us.
struct doorbell doorbell_from(const char *peer) {
    return mkpt ? find_doorbell(&mkpt->incoming, peer) : (struct doorbell){ 0, 0, false };
}

// Ring it.
void ring(struct doorbell doorbell) { lapic_ipi(doorbell.apic_id, doorbell.vector); }
