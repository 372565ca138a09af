"""The firmware configuration device of QEMU, as data. QEMU, docs/specs/fw_cfg.rst; the keys are those of
include/standard-headers/linux/qemu_fw_cfg.h.

    offset  access
    0       16 bits, write: the key of the item to read, from its start
    1       8 bits, read: the item's next byte; zeros behind its end, and for keys without an item
"""

from struct import Struct

# fmt: off
SELECTOR, DATA = 0, 1

KEY_SIGNATURE = 0x0000      # "QEMU"
KEY_ID        = 0x0001      # 32 bits, little-endian as all but the directory:
ID_TRADITIONAL = 1 << 0     #   the two ports; bit 1, DMA, is not there
KEY_RAM_SIZE  = 0x0003      # 64 bits, bytes
KEY_NOGRAPHIC = 0x0004      # 16 bits: 1 without a screen
KEY_CPUS      = 0x0005      # 16 bits: how many are there
KEY_INITRD_ADDRESS = 0x000A     # 32 bits: the first module
KEY_INITRD_SIZE = 0x000B    # 32 bits
KEY_CPUS_MAX  = 0x000F      # 16 bits: one more than the greatest APIC ID
KEY_CMDLINE_SIZE = 0x0014   # 32 bits, the final NUL included
KEY_CMDLINE_DATA = 0x0015
KEY_DIRECTORY = 0x0019      # 32 bits, big-endian: the number of files; then an entry each
KEY_FIRST_FILE = 0x0020
FILE = Struct(">IHH56s")    # FWCfgFile: size, key, reserved, name
E820_ENTRY = Struct("<QQI") # of the file "etc/e820": address, length, type
E820_RAM = 1
KEY_MASK = 0xBFFF           # bit 14 says that the item is to be written: read only here
# fmt: on
