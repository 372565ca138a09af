"""Intel VT-d, what it reads from memory, as data. Revision 3.3, order D51397-013; § is of it.

root table                256 entries of 16 bytes, one a bus            § 9.1
context table             256 entries of 16 bytes, one a function       § 9.3
second-level page tables  512 entries of 8 bytes, 3 or 4 levels         § 9.8
interrupt remapping table up to 65536 entries of 16 bytes               § 9.10
invalidation queue        descriptors of 16 bytes                       § 6.5.2
"""

# fmt: off
WIDTH = 40                      # bits of an address in memory
FRAME = (1 << WIDTH) - 0x1000   # bits of an entry that are an address
PRESENT = 1 << 0                # of all but second-level entries
FPD     = 1 << 1                #   of context entries and IRTEs: its faults are not recorded
ROOT_RESERVED    = ~(FRAME | PRESENT)

TYPE_SHIFT, TYPE = 2, 3         # context entry, low half
TRANSLATED, PASSED = 0, 2       #   1 is for device-TLBs, 3 reserved
CONTEXT_RESERVED = ~(FRAME | 0xF)
AW = 7                          #   high half: 1 for 39 bits, 2 for 48 bits
AW_39, AW_48 = 1, 2
DID_SHIFT, DID = 8, 0xFFFF
CONTEXT_HIGH_RESERVED = ~0xFFFF7F   #   bits 6:3 are software's

READ, WRITE = 1 << 0, 1 << 1    # second-level entry
LARGE = 1 << 7                  #   a page of 2 MiB or 1 GiB
TM = 1 << 62                    #   for device-TLBs
SNP = 1 << 11                   #   for snoop control
SECOND_RESERVED = TM | SNP | ((1 << 52) - (1 << WIDTH))
LEVEL_BITS, PAGE_BITS = 9, 12

# IRTE, low half
DM      = 1 << 2                #   destination mode: logical
RH      = 1 << 3                #   redirection hint
TM_LEVEL = 1 << 4               #   trigger mode
DLM_SHIFT = 5                   #   delivery mode
IM      = 1 << 15               #   posted: not here
VECTOR_SHIFT = 16
DST_SHIFT = 32
IRTE_RESERVED = 0xFF00F000      #   IM among them
IRTE_XAPIC_RESERVED = 0xFFFF00FF    # of the destination, unless EIME
SVT_SHIFT = 18                  #   high half: 0 nothing, 1 source-id, 2 a range of buses
SQ_SHIFT = 16                   #   which bits of the function do not count
IRTE_HIGH_RESERVED = ~0xFFFFF
ENTRY = 16                      # bytes of all but second-level entries

MSI_REMAPPABLE = 1 << 4         # of a message's address                        § 5.1.2.2
MSI_SHV = 1 << 3                #   the data counts
MSI_HANDLE_SHIFT = 5            #   bits 14:0 of the index
MSI_HANDLE_15 = 1 << 2          #   bit 15 of it
RTE_REMAPPABLE = 1 << 48        # of a redirection table entry                  § 5.1.5.1
RTE_HANDLE_SHIFT = 49
RTE_HANDLE_15 = 1 << 11

# Invalidation descriptors, low half                                            § 6.5.2
OF_CONTEXT, OF_IOTLB, OF_INTERRUPTS, WAIT = 1, 2, 4, 5
KIND = 0xE0F                    #   bits 11:9 and 3:0
GRANULARITY_SHIFT = 4           #   ALL, DOMAIN or SELECTIVE; of interrupt entries 1 for an index
Q_DID_SHIFT = 16
Q_SID_SHIFT = 32
Q_FM_SHIFT = 48                 #   bits of the function that do not count: as SQ in an IRTE
Q_INDEX_SHIFT = 32
Q_INDEX_MASK_SHIFT = 27
WAIT_INTERRUPT = 1 << 4         #   IF
WAIT_STATUS = 1 << 5            #   SW
WAIT_DATA_SHIFT = 32

# Fault reasons                                                                 § 7.1.3
ROOT_ABSENT             = 0x01
CONTEXT_ABSENT          = 0x02
CONTEXT_INVALID         = 0x03
BEYOND_WIDTH            = 0x04
NOT_WRITABLE            = 0x05
NOT_READABLE            = 0x06
TABLE_UNREACHABLE       = 0x07
ROOT_UNREACHABLE        = 0x08
CONTEXT_UNREACHABLE     = 0x09
ROOT_RESERVED_SET       = 0x0A
CONTEXT_RESERVED_SET    = 0x0B
TABLE_RESERVED_SET      = 0x0C
REQUEST_RESERVED_SET    = 0x20
BEYOND_TABLE            = 0x21
IRTE_ABSENT             = 0x22
IRTE_UNREACHABLE        = 0x23
IRTE_RESERVED_SET       = 0x24
COMPATIBILITY_BLOCKED   = 0x25
SOURCE_REFUSED          = 0x26
# fmt: on

REASONS = {
    ROOT_ABSENT: "root entry not present",
    CONTEXT_ABSENT: "context entry not present",
    CONTEXT_INVALID: "context entry makes no sense",
    BEYOND_WIDTH: "address beyond the tables' width",
    NOT_WRITABLE: "page not writable",
    NOT_READABLE: "page not readable",
    TABLE_UNREACHABLE: "page table cannot be read",
    ROOT_UNREACHABLE: "root table cannot be read",
    CONTEXT_UNREACHABLE: "context table cannot be read",
    ROOT_RESERVED_SET: "reserved bits in root entry",
    CONTEXT_RESERVED_SET: "reserved bits in context entry",
    TABLE_RESERVED_SET: "reserved bits in page table",
    REQUEST_RESERVED_SET: "reserved bits in interrupt request",
    BEYOND_TABLE: "interrupt index beyond the table",
    IRTE_ABSENT: "interrupt entry not present",
    IRTE_UNREACHABLE: "interrupt table cannot be read",
    IRTE_RESERVED_SET: "reserved bits in interrupt entry",
    COMPATIBILITY_BLOCKED: "compatibility format blocked",
    SOURCE_REFUSED: "interrupt of another source",
}
