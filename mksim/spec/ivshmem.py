"""Inter-VM shared memory, version 2, as data: Documentation/ivshmem-v2-specification.md of Jailhouse.

    registers, base address 0; 32 bits each
    0x00    number of this device, read only
    0x04    how many peers there are, read only
    0x08    interrupt control: bit 0 enables
    0x0c    doorbell, write only: 31:16 target, 15:0 vector
    0x10    state of this device

    shared memory, at an address that the vendor's capability tells
    the state table: 32 bits a peer, which devices write, and whoever may write to the window
    what all peers may read and write
"""

# fmt: off
VENDOR, DEVICE = 0x110A, 0x4106
CLASS = 0xFF0000                # protocol type 0: undefined
ID, PEERS, INTERRUPTS, DOORBELL, STATE = 0x00, 0x04, 0x08, 0x0C, 0x10
REGISTERS_SIZE, MSIX_SIZE = 0x1000, 0x1000
MSIX_BAR = 1
INTERRUPTS_ENABLED = 1
TARGET_SHIFT, VECTOR = 16, 0xFFFF

CAPABILITY = 0x09
CAPABILITY_AT = 0x40            # of configuration
CAPABILITY_SIZE = 0x20          # with a base address
LENGTH_AT, CONTROL_AT, TABLE_SIZE_AT, COMMON_SIZE_AT, OUTPUT_SIZE_AT, BASE_AT = 2, 3, 4, 8, 16, 24
ONE_SHOT = 1                    # of CONTROL_AT: an interrupt disables the next

TABLE_SIZE = 0x1000
VECTORS = 4
PEERS_MAX = 64
FLYING = 32                     # rings of doorbells on their way to one device; more at once become fewer
# fmt: on
