// Sends frames of 1500 bytes between two virtio network devices of its own, `count` times, one at a time to and fro,
// asleep in HLT until the interrupt. The same image on mksim and on a PC.
#include "../lib/check.h"
#include "../devices/nic.h"

#define VECTOR 0x52

static struct nic nics[2];

static void on_message(struct trapframe *frame) { lapic_eoi(); }

static void take_messages(struct virtio nic) {
    u32 at = pci_capability(nic.function, 0x11);
    volatile u32 *table = direct(pci_read(nic.function, PCI_BASE + 4 * (pci_read(nic.function, at + 4) & 7)) & ~0xfu);
    pci_write16(nic.function, at + 2, 0x8000);
    table[0] = MSI_ADDRESS | lapic_id() << 12;
    table[1] = 0;
    table[2] = VECTOR;
    table[3] = 0;
    nic.common->queue_select = 0;
    nic.common->entry = 0;
}

int main(void) {
    trap_handler(VECTOR, on_message);
    for (u32 i = 0; i < 2; i++) {
        struct virtio device = virtio_at(pci_find_after(VIRTIO_VENDOR, VIRTIO_NET, i));
        CHECK(device.common && nic_open(&nics[i], device));
        take_messages(device);
    }
    print("go\n");
    for (u64 n = 0, count = option_number("count", 1); n < count; n++) {
        struct nic *from = &nics[n & 1], *to = &nics[~n & 1];
        *(u64 *)from->out.data = n;
        nic_send(from, to->mac, FRAME_DATA);
        struct frame *frame;
        u32 length;
        while (!(frame = nic_next(to, &length)))
            wait_interrupt();
        CHECK(length == FRAME_DATA && *(u64 *)frame->data == n);
        nic_done(to);
    }
    return 0;
}
