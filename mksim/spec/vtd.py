"""Intel VT-d, registers as data. Architecture Specification, revision 3.3, order D51397-013; § is of it.

    offset  bits  register                                              access
    0x000   32    VER_REG     version                                   read only       § 10.4.1
    0x008   64    CAP_REG     capabilities                              read only       § 10.4.2
    0x010   64    ECAP_REG    extended capabilities                     read only       § 10.4.3
    0x018   32    GCMD_REG    global command                            write only      § 10.4.4
    0x01c   32    GSTS_REG    global status                             read only       § 10.4.5
    0x020   64    RTADDR_REG  root table address                                        § 10.4.6
    0x028   64    CCMD_REG    context command                                           § 10.4.7
    0x034   32    FSTS_REG    fault status                              ones clear      § 10.4.9
    0x038   32    FECTL_REG   fault event control                                       § 10.4.10
    0x03c   32    FEDATA_REG, FEADDR_REG, FEUADDR_REG: its message                      § 10.4.11 on
    0x080   64    IQH_REG     invalidation queue head                   read only       § 10.4.21
    0x088   64    IQT_REG     invalidation queue tail                                   § 10.4.22
    0x090   64    IQA_REG     invalidation queue address                                § 10.4.23
    0x09c   32    ICS_REG     invalidation completion status            ones clear      § 10.4.24
    0x0a0   32    IECTL_REG   invalidation event control                                § 10.4.25
    0x0a4   32    IEDATA_REG, IEADDR_REG, IEUADDR_REG: its message                      § 10.4.26 on
    0x0b8   64    IRTA_REG    interrupt remapping table address                         § 10.4.29
    0x0f0   64    IVA_REG     invalidate address                        write only      § 10.4.8.2
    0x0f8   64    IOTLB_REG   IOTLB invalidate                                          § 10.4.8.1
    0x100   128   FRCD_REG    fault recording, 8 of them                F: ones clear   § 10.4.14

Left out, and so the capabilities say: scalable mode and first-level translation, device-TLBs and page
requests, advanced fault logging, protected memory regions, snoop control, posted interrupts, page-walk and
paging-structure caches.
"""

# fmt: off
VER_REG     = 0x00
CAP_REG     = 0x08
ECAP_REG    = 0x10
GCMD_REG    = 0x18
GSTS_REG    = 0x1C
RTADDR_REG  = 0x20
CCMD_REG    = 0x28
FSTS_REG    = 0x34
FECTL_REG   = 0x38
FEDATA_REG, FEADDR_REG, FEUADDR_REG = 0x3C, 0x40, 0x44
IQH_REG     = 0x80
IQT_REG     = 0x88
IQA_REG     = 0x90
ICS_REG     = 0x9C
IECTL_REG   = 0xA0
IEDATA_REG, IEADDR_REG, IEUADDR_REG = 0xA4, 0xA8, 0xAC
IRTA_REG    = 0xB8
IVA_REG     = 0xF0
IOTLB_REG   = 0xF8
FRCD_REG    = 0x100
FAULTS      = 8                 # fault recording registers, 16 bytes each
REGISTERS_END = FRCD_REG + 16 * FAULTS

VERSION     = 0x10              # 1.0

CAPABILITIES = (                # CAP_REG
    6 << 0                      #   ND: domains have numbers of 16 bits
    | 0b00110 << 8              #   SAGAW: tables of 3 levels (39 bits) and of 4 (48 bits)
    | 47 << 16                  #   MGAW: 48 bits
    | 1 << 22                   #   ZLR: reads of no bytes from pages that are write only
    | (FRCD_REG >> 4) << 24     #   FRO: where the fault recording registers are
    | 0b11 << 34                #   SLLPS: pages of 2 MiB and 1 GiB
    | 1 << 39                   #   PSI: page-selective invalidation
    | (FAULTS - 1) << 40        #   NFR
    | 18 << 48                  #   MAMV: of up to 2^18 pages at once
)
MAMV = 18
CAPABILITY_WAITS = 1 << 7       #   CM: what is not present may be cached. It is not here

EXTENDED = (                    # ECAP_REG
    1 << 0                      #   C: tables are read coherently
    | 1 << 1                    #   QI: queued invalidation
    | 1 << 6                    #   PT: pass-through
    | (IVA_REG >> 4) << 8       #   IRO: where the IOTLB registers are
)
EXTENDED_REMAPPING = (
    1 << 3                      #   IR: interrupt remapping
    | 1 << 4                    #   EIM: destinations of 32 bits, for x2APIC mode
    | 15 << 20                  #   MHMV: of 2^15 interrupt entries at once
)

TE    = 1 << 31                 # GCMD_REG, GSTS_REG: translation is on
SRTP  = 1 << 30                 #   RTADDR_REG is taken over
WBF   = 1 << 27                 #   write buffers are flushed: there are none
QIE   = 1 << 26                 #   queued invalidation is on
IRE   = 1 << 25                 #   interrupt remapping is on
SIRTP = 1 << 24                 #   IRTA_REG is taken over
CFI   = 1 << 23                 #   interrupts of the compatibility format go by it
KEPT  = TE | QIE | IRE | CFI    #   commands that stay as they are written; the others happen once

ADDRESS = ~0xFFF                # RTADDR_REG, IQA_REG, IRTA_REG: page of the table
MODE    = 3 << 10               # RTADDR_REG, TTM: 0 is legacy mode

ICC      = 1 << 31              # CCMD_REG, upper half: invalidate the context cache; 0 once that is done
CIRG     = 3 << 29              #   how much of it
CAIG_SHIFT = 27                 #   how much of it was
IVT      = 1 << 31              # IOTLB_REG, upper half: invalidate the IOTLB
IIRG     = 3 << 28              #   how much of it
IAIG_SHIFT = 25                 #   how much of it was
ALL, DOMAIN, SELECTIVE = 1, 2, 3        # how much; of the context cache a device's, of the IOTLB pages
AM       = 0x3F                 # IVA_REG: 2^AM pages
IH       = 1 << 6               #   only the leaves have changed

PFO = 1 << 0                    # FSTS_REG: a fault found no register to be recorded in
PPF = 1 << 1                    #   some register has one; read only
IQE = 1 << 4                    #   the queue has stopped at a descriptor that is none
FSTS_CLEARED = PFO | IQE
FRI_SHIFT = 8                   #   the first register that has one
EVENT_MASKED  = 1 << 31         # FECTL_REG, IECTL_REG: IM
EVENT_PENDING = 1 << 30         #   IP: an event waits for that to end

F_FAULT = 1 << 31               # FRCD_REG, bits 127:96
F_READ  = 1 << 30               #   T: 1 is a read
F_SOURCE = 0xFFFF               #   bits 95:64, SID

QS      = 7                     # IQA_REG: 2^(QS + 8) descriptors
QUEUE_POINTER = 0x7FFF0         # IQH_REG, IQT_REG
IWC     = 1 << 0                # ICS_REG: a wait descriptor has asked for an event
EIME    = 1 << 11               # IRTA_REG: destinations of 32 bits
TABLE_SIZE = 0xF                #   2^(S + 1) entries
IOAPIC_SOURCE = 0xF0F8          # source-id of the I/O APIC behind a unit: f0:1f.0, where no function is
# fmt: on

PLAIN = (
    RTADDR_REG, RTADDR_REG + 4, IQA_REG, IQA_REG + 4, IRTA_REG, IRTA_REG + 4, IVA_REG, IVA_REG + 4, CCMD_REG,
    IOTLB_REG, FEDATA_REG, FEADDR_REG, FEUADDR_REG, IEDATA_REG, IEADDR_REG, IEUADDR_REG,
)  # fmt: skip
"""Words of 32 bits that are as software writes them, and do nothing by themselves."""
