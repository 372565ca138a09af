// Owns a disk and a network device, and dies with a write to the one and a frame to the other under way.
#include "estate.h"

static struct disk disk;
static struct nic nic;

static void write_sector(u64 sector) {
    for (u64 at = 0; at < WORDS; at++)
        disk.data[at] = word_of(sector, at);
    disk_ask(&disk, 1, sector);
}

static void die(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) nothing = { 0, 0 };
    asm volatile("lidt %0; int3" :: "m"(nothing));
}

int main(void) {
    struct estate *estate = estate_window();
    disk_open(&disk, virtio_find(VIRTIO_BLOCK));
    CHECK(nic_open(&nic, virtio_find(VIRTIO_NET)));
    for (u64 sector = 0; sector < SECTORS; sector++) {
        write_sector(sector);
        disk_wait(&disk);
        store_release(&estate->acknowledged, sector + 1);
        *(u64 *)nic.out.data = sector;
        nic_send(&nic, everybody, 46);
    }
    print("%u sectors are on the disk. Goodbye\n", SECTORS);
    write_sector(SECTORS);
    *nic.receive_bell = 0;
    die();
    return 1;
}
