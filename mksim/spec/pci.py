"""PCI configuration space, as data. PCI Local Bus Specification, revision 3.0, February 2004; § is of it.
PCI Express Base Specification 2.0, 7.2.2, is called [E] here.

    port    CONFIG_ADDRESS, as a whole only                   § 3.2.2.3.2
    0xcf8   31 enable   23:16 bus   15:11 device   10:8 function   7:2 register
    0xcfc   CONFIG_DATA: the register's bytes

    ECAM, a 4 KiB page a function                             [E] table 7-1
            27:20 bus   19:15 device   14:12 function   11:0 register
"""

# fmt: off
ENABLE = 1 << 31            # CONFIG_ADDRESS
ADDRESS_WRITABLE = 0x80FFFFFC
FUNCTION_SHIFT = 8          #   bus, device and function, as one number of 16 bits
REGISTER = 0xFC
ECAM_SHIFT = 12             # where that number is in an address of the ECAM
SPACE = 0x1000              # bytes of a function; the first 256 are there for CONFIG_DATA
BUSES = 1

VENDOR_ID = 0x00            # § 6.2.1; ones: no function
DEVICE_ID = 0x02
COMMAND = 0x04              # § 6.2.2
COMMAND_MEMORY = 1 << 1
COMMAND_MASTER = 1 << 2
COMMAND_SERR = 1 << 8
STATUS = 0x06               # § 6.2.3; errors are cleared by writing ones
STATUS_ERRORS = 0xF900
REVISION = 0x08
CLASS = 0x09                # three bytes, the lowest first
CLASS_HOST_BRIDGE = 0x060000    # appendix D
HEADER_TYPE = 0x0E          # 0: a function with six base addresses, one of its device
SUBSYSTEM_VENDOR = 0x2C     # § 6.2.4
SUBSYSTEM = 0x2E

# The host bridge says that it is QEMU's generic one: no driver and no quirk wants registers behind the header
# of it, as of the chipsets that its makers' IDs would promise.
HOST_BRIDGE_VENDOR, HOST_BRIDGE_DEVICE = 0x1B36, 0x0008
HOST_BRIDGE_SUBSYSTEM = 0x1100, 0x1AF4      # device, vendor
# fmt: on
