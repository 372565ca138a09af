// PCI configuration, by ports and by memory: the same host bridge, nobody else, ones where nobody is.
// PCI 3.0, 3.2.2.3.2; PCI Express 2.0, 7.2.2.
#include "../lib/check.h"
#include "../devices/pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define ENABLE         0x80000000

static u32 config(u32 device, u32 reg) {
    outl(CONFIG_ADDRESS, ENABLE | device << 11 | reg);
    return inl(CONFIG_DATA);
}

int main(void) {
    const struct mcfg *mcfg = acpi_table("MCFG");
    CHECK(mcfg && mcfg->first_bus == 0 && mcfg->segment == 0);
    volatile u32 *ecam = direct(mcfg->base);
    outl(CONFIG_ADDRESS, ENABLE);
    CHECK(inl(CONFIG_ADDRESS) == ENABLE && inb(CONFIG_ADDRESS + 1) == 0);   // the reset control is in between
    u32 found = 0;
    for (u32 device = 0; device < 32; device++) {
        CHECK(config(device, 0) == ecam[device << 13]);
        found += config(device, 0) != ~0u;
    }
    CHECK(found == 1 && config(0, 8) >> 16 == 0x0600);
    CHECK(inw(CONFIG_DATA + 2) == 0x0600 && inb(CONFIG_DATA + 3) == 0x06);
    ecam[1] |= 0x100;                                           // command: SERR#
    CHECK(config(0, 4) & 0x100);
    outl(CONFIG_DATA, config(0, 4) & ~0x100u);
    CHECK(!(ecam[1] & 0x100));
    ecam[4] = ~0u;                                              // no base addresses
    CHECK(ecam[4] == 0 && *(volatile u8 *)((u64)ecam + 0x0e) == 0);
    CHECK(ecam[0x1000 / 4] == ~0u && ecam[0x100 / 4] == 0);
    print("PCI: %x at 00:00.0, and nobody else\n", config(0, 0));
    return 0;
}
