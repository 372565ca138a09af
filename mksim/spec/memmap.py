"""The machine's physical address map and its I/O ports: every magic address of mksim, in one place.

    0x0000_0000  firmware: IVT, BDA          (one page)
    0x0000_1000  kernels' low pages          SIPI trampolines must lie below 1 MiB (SDM vol. 3A, 10.4.4)
    0x0007_0000  firmware RAM                partition table, then stacks
    0x000a_0000  legacy hole                 graphics, option ROMs: nobody there
    0x000b_8000  text screen                 of its owner
    0x000f_0000  alias of the ROM            so that SIPI vector 0xf0 starts in it
    0x000f_e000    in it: kernel's tables    to each kernel its own, so that a search finds its RSDP
    0x0010_0000  DRAM, up to 3 GiB
    0xe000_0000  PCI configuration, ECAM     1 MiB for each PCI segment, of who owns that
    0xe100_0000  PCI memory                  of functions; each segment begins with 16 MiB of it
    0xfec0_0000  I/O APICs, 4 KiB each       82093AA, 3.0
    0xfed0_0000  HPET                        of the legacy owner
    0xfed9_0000  IOMMUs, 4 KiB each          where the board has them: one for each PCI segment
    0xfee0_0000  local APIC of each core     SDM vol. 3A, 12.4.1
    0xff00_0000  memory of the test device   of each kernel its own
    0xffff_0000  the ROM                     reset vector at 0xffff_fff0 (SDM vol. 3A, 11.1.4)
"""

PAGE = 0x1000
PAGE_SHIFT = 12

LOW_PAGES = 0x1000
"""First page that a kernel may own below 1 MiB."""
FIRMWARE_RAM = 0x70000
PARTITION_TABLE = FIRMWARE_RAM
PARTITION_TABLE_SIZE = 0x10000
FIRMWARE_STACKS = PARTITION_TABLE + PARTITION_TABLE_SIZE
LOW_DRAM_END = 0xA0000
SCREEN = 0xB8000
SCREEN_SIZE = 0x8000
"""Memory of the VGA in text mode; what else a VGA has from 0xa0000 on nobody sees."""
ROM_ALIAS = 0xF0000
BIOS_TABLES = 0xFE000
"""Page of the alias that shows each kernel the first page of its own tables area: ACPI 6.4, 5.2.5.1."""
HIGH_DRAM = 0x100000
DRAM_LIMIT = 0xC0000000
"""DRAM ends here at the latest: the fourth GiB belongs to devices."""

ECAM = 0xE0000000
ECAM_BUS = 0x100000
"""Bytes of a bus, which is all that a PCI segment has: 256 functions, a page each."""
PCI_MEMORY = 0xE1000000
PCI_WINDOW = 0x1000000
"""Of PCI memory for each segment: for base addresses of its functions."""
PCI_MEMORY_END = 0xF1000000
IOAPIC = 0xFEC00000
IOAPIC_STRIDE = 0x1000
HPET = 0xFED00000
IOMMU = 0xFED90000
IOMMU_STRIDE = 0x1000
LAPIC = 0xFEE00000
TEST_MEMORY = 0xFF000000
TEST_MEMORY_SIZE = 0x10000
ROM_SIZE = 0x10000
ROM = (1 << 32) - ROM_SIZE
RESET_VECTOR = 0xFFFFFFF0
FIRMWARE_SIPI = ROM_ALIAS >> PAGE_SHIFT
"""The SIPI vector that starts a core in the ROM."""

PHYSICAL_END = 1 << 40
"""One past the last physical address: TCG's CPU models have 40 address bits."""

PORT_PIC_MASTER = 0x20
PORT_PIC_SLAVE = 0xA0
PORT_PIT = 0x40
PORT_SYSTEM_CONTROL_B = 0x61
PORT_KEYBOARD = 0x60
PORT_KEYBOARD_CONTROL = 0x64
PORT_RTC = 0x70
PORT_POST = 0x80
PORT_SYSTEM_CONTROL_A = 0x92
PORT_ELCR = 0x4D0
PORT_TEST_WORD = 0xE0
PORT_DEBUG_CONSOLE = 0xE9
PORT_DEBUG_EXIT = 0xF4
PORT_HAND_OFF = 0xF8
PORT_FW_CFG = 0x510
PORT_PCI_ADDRESS = 0xCF8
PORT_RESET_CONTROL = 0xCF9
"""Within the four ports of PORT_PCI_ADDRESS, which only accesses of four bytes reach."""
PORT_PCI_DATA = 0xCFC
PORT_PM1_EVENT = 0x600
PORT_PM1_CONTROL = 0x604
PORT_PM_TIMER = 0x608
PORT_SLEEP_CONTROL = 0x60C
PORT_SLEEP_STATUS = 0x60D

PORT_VGA = 0x3C0
PORT_COM = (0x3F8, 0x2F8, 0x3E8, 0x2E8)
IRQ_COM = (4, 3, 4, 3)
PORT_TEST_LINES = 0x2000
TEST_LINES = 24
"""The test device's: one port for each pin of the I/O APIC."""
PORT_MULTIPORT = 0x1000
"""First UART of the multiport serial card, eight ports each; the fifth and later UARTs sit here."""
