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
BUS_SHIFT = 8               # a segment's one bus: its ECAM has 256 functions, the next segment's follows
SEGMENTS_MAX = 16
HEADER = 0x100              # bytes that are there for CONFIG_DATA: all that a function here has
SLOTS = 32                  # devices of a bus; 0 is the host bridge

VENDOR_ID = 0x00            # § 6.2.1; ones: no function
DEVICE_ID = 0x02
COMMAND = 0x04              # § 6.2.2
COMMAND_MEMORY = 1 << 1
COMMAND_MASTER = 1 << 2
COMMAND_SERR = 1 << 8
COMMAND_NO_INTERRUPT = 1 << 10
COMMAND_ENDPOINT = COMMAND_MEMORY | COMMAND_MASTER | COMMAND_SERR | COMMAND_NO_INTERRUPT    # what it has
STATUS = 0x06               # § 6.2.3; errors are cleared by writing ones
STATUS_INTERRUPT = 1 << 3       # INTA# would be asserted
STATUS_CAPABILITIES = 1 << 4
STATUS_TARGET_ABORT = 1 << 12   # received: its DMA was refused
STATUS_MASTER_ABORT = 1 << 13   # received: nobody answered its DMA
STATUS_ERRORS = 0xF900
REVISION = 0x08
CLASS = 0x09                # three bytes, the lowest first
CLASS_HOST_BRIDGE = 0x060000    # appendix D
HEADER_TYPE = 0x0E          # 0: a function with six base addresses, one of its device
BASE_ADDRESS = 0x10         # § 6.2.5.1: six doublewords; one of 64 bits takes two
BASE_ADDRESSES = 6
BASE_64 = 1 << 2            #   bits 2:1 are 10: anywhere in 64 bits
BASE_FLAGS = 0xF
SUBSYSTEM_VENDOR = 0x2C     # § 6.2.4
SUBSYSTEM = 0x2E
CAPABILITIES = 0x34         # § 6.7: where the first is
INTERRUPT_LINE = 0x3C       # § 6.2.4: for software to keep what it likes in
INTERRUPT_PIN = 0x3D        #   1 is INTA#

CAPABILITY_MSI = 0x05       # § 6.8.1
MSI_CONTROL = 2             #   bytes into the capability
MSI_ENABLE = 1 << 0
MSI_64 = 1 << 7
MSI_ADDRESS, MSI_ADDRESS_HIGH, MSI_DATA = 4, 8, 12
MSI_SIZE = 14

CAPABILITY_MSIX = 0x11      # § 6.8.2
MSIX_CONTROL, MSIX_TABLE, MSIX_PENDING = 2, 4, 8
MSIX_ENABLE = 1 << 15
MSIX_MASKED = 1 << 14       #   all of them

CAPABILITY_EXPRESS = 0x10   # [E] 7.8: of a root complex integrated endpoint, version 2
EXPRESS_KIND = 2            #   capabilities register
EXPRESS_INTEGRATED = 9 << 4 | 2
EXPRESS_DEVICE = 4          #   device capabilities
EXPRESS_RESETS = 1 << 28    #     function level reset
EXPRESS_CONTROL = 8         #   device control
EXPRESS_RESET = 1 << 15     #     initiates that; reads as 0
EXPRESS_CONTROL_KEPT = 0x7FFF
EXPRESS_SIZE = 0x3C

# What a write to an address of MSI_WINDOW says, SDM vol. 3A, 12.11
MSI_WINDOW = 0xFEE00000
MSI_WINDOW_SIZE = 0x100000
MSI_DESTINATION_SHIFT = 12
MSI_LOGICAL = 1 << 2
MSI_VECTOR = 0xFF           # data
MSI_MODE_SHIFT = 8
MSI_LEVEL = 1 << 15

PINS_FIRST, PINS = 16, 4    # INTA# of device n is pin 16 + n % 4 of its owner's I/O APIC

# The host bridge says that it is QEMU's generic one: no driver and no quirk wants registers behind the header
# of it, as of the chipsets that its makers' IDs would promise.
HOST_BRIDGE_VENDOR, HOST_BRIDGE_DEVICE = 0x1B36, 0x0008
HOST_BRIDGE_SUBSYSTEM = 0x1100, 0x1AF4      # device, vendor
# fmt: on
