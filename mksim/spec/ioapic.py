"""I/O APIC, as data. Intel 82093AA, order 290566-001, May 1996; § is a section of it.

The version is that of later parts (Intel ICH, order 290655, 9.5), which have an EOI register besides:
directed EOI, without a broadcast from a local APIC.

    offset  register                          index  behind IOWIN
    0x00    IOREGSEL  the index               0x00   IOAPICID
    0x10    IOWIN     the register behind it  0x01   IOAPICVER
    0x40    EOI       write only: a vector    0x02   IOAPICARB
                                              0x10 + 2n, + 1  IOREDTBL[n], low and high half
"""

# fmt: off
IOREGSEL = 0x00             # § 3.1.1
IOWIN    = 0x10             # § 3.1.2
EOI      = 0x40             # ICH, 9.5.6

IOAPICID  = 0x00            # § 3.2.1: bits 27:24
IOAPICVER = 0x01            # § 3.2.2
IOAPICARB = 0x02            # § 3.2.3: bits 27:24, loaded with the ID
IOREDTBL  = 0x10            # § 3.2.4

ID_SHIFT = 24
ID_MASK = 0x0F
VERSION = 0x20
PINS = 24
VERSION_REGISTER = (PINS - 1) << 16 | VERSION

VECTOR      = 0xFF          # redirection table entry, low half
DELIVERY    = 7 << 8        #   bits 10:8:
DELIVERY_SHIFT = 8
FIXED, LOWEST_PRIORITY, SMI, NMI, INIT, EXTINT = 0, 1, 2, 4, 5, 7
LOGICAL     = 1 << 11       #   destination mode
SEND_PENDING = 1 << 12      #   delivery status, read only
LOW_ACTIVE  = 1 << 13       #   polarity
REMOTE_IRR  = 1 << 14       #   read only: a level interrupt was accepted and its EOI is outstanding
LEVEL       = 1 << 15       #   trigger mode
MASKED      = 1 << 16
WRITABLE_LOW = 0x1AFFF      #   all but the two read only bits; 31:17 are reserved
DESTINATION_SHIFT = 56      # redirection table entry, bits 63:56
WRITABLE_HIGH = 0xFFFF0000      #   55:48 of later parts (ICH, 9.5.8): an IOMMU takes an index from there
# fmt: on
