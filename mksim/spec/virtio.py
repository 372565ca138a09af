"""Virtio devices on PCI, as data. Virtual I/O Device (VIRTIO) Version 1.1, OASIS, April 2019; § is of it.

    common configuration, § 4.1.4.3
    0x00    4   which 32 features the next shows
    0x04    4   the device's features, read only
    0x08    4   which 32 features the next takes
    0x0c    4   the driver's features
    0x10    2   MSI-X entry for changes of the configuration
    0x12    2   number of queues, read only
    0x14    1   device status
    0x15    1   configuration generation, read only
    0x16    2   which queue the following are of
    0x18    2   its size
    0x1a    2   its MSI-X entry
    0x1c    2   1 enables it
    0x1e    2   where it is notified, read only
    0x20    8   its descriptors, 0x28 its driver's area, 0x30 its device's area
"""

# fmt: off
VENDOR = 0x1AF4
# § 4.1.2.1: 0x1040 + number of § 5
DEVICE_NET, DEVICE_BLOCK, DEVICE_CONSOLE, DEVICE_ENTROPY = 0x1041, 0x1042, 0x1043, 0x1044
REVISION = 1
CLASS_STORAGE, CLASS_ETHERNET, CLASS_COMMUNICATION, CLASS_OTHER = 0x018000, 0x020000, 0x078000, 0x00FF00

CAPABILITY = 0x09               # § 4.1.4, virtio_pci_cap
CAP_LENGTH, CAP_TYPE, CAP_BAR, CAP_OFFSET, CAP_SIZE, CAP_MULTIPLIER = 2, 3, 4, 8, 12, 16
COMMON, NOTIFY, ISR, DEVICE = 1, 2, 3, 4

REGISTER_BAR, MSIX_BAR = 4, 1
COMMON_AT, ISR_AT, DEVICE_AT, NOTIFY_AT = 0x0000, 0x1000, 0x2000, 0x3000
PART = 0x1000
REGISTERS_SIZE, MSIX_SIZE = 0x4000, 0x1000

FEATURE_SELECT, FEATURES, DRIVER_SELECT, DRIVER_FEATURES = 0x00, 0x04, 0x08, 0x0C
CONFIG_ENTRY, QUEUES, STATUS, GENERATION = 0x10, 0x12, 0x14, 0x15
QUEUE_SELECT, QUEUE_SIZE, QUEUE_ENTRY, QUEUE_ENABLE, QUEUE_NOTIFY = 0x16, 0x18, 0x1A, 0x1C, 0x1E
QUEUE_TABLE, QUEUE_DRIVER, QUEUE_DEVICE, COMMON_SIZE = 0x20, 0x28, 0x30, 0x38
NO_ENTRY = 0xFFFF

DRIVER_OK = 4                   # § 2.1
FEATURES_OK = 8
NEEDS_RESET = 64
INDIRECT_TABLES = 1 << 28       # § 6
VERSION_1 = 1 << 32
ACCESS_PLATFORM = 1 << 33       #   its addresses are as any device's: an IOMMU translates them

ISR_QUEUE, ISR_CONFIG = 1, 2    # § 4.1.4.5

QUEUES_MAX = 9                  # of a device
SIZE_MAX = 128                  # entries of a queue, § 2.6
TABLE_ENTRY = 16                # descriptor: address 8, length 4, flags 2, next 2
NEXT, WRITE, INDIRECT = 1, 2, 4
AVAILABLE_NO_INTERRUPT = 1

BLOCK_SEGMENTS = 1 << 2         # § 5.2.3: features
BLOCK_READ_ONLY = 1 << 5
BLOCK_FLUSH = 1 << 9
BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH_REQUEST, BLOCK_ID = 0, 1, 4, 8     # § 5.2.6
BLOCK_HEADER = 16               # type 4, reserved 4, sector 8
BLOCK_OK, BLOCK_ERROR, BLOCK_UNSUPPORTED = 0, 1, 2
SECTOR = 512
STAGE = 4096
"""Bytes that a device of ours holds at a time, on their way."""
ID_SIZE = 20
NAME = tuple(b"mksim disk")
SEGMENTS_AT, SEGMENTS = 12, SIZE_MAX - 2     # of the device configuration: in a request at most

CONSOLE_TRANSMIT, CONSOLE_QUEUES = 1, 2     # § 5.3.2
# fmt: on

REQUEST_NS = 10_000
"""From a notification until the device has looked at the queue and done all that is in it."""
