"""The local APIC's registers and messages: Intel SDM vol. 3A, chapter 12 (in older editions, chapter 10).

Plain integers, because native code takes them as constants.
"""

# fmt: off

# Register offsets in the xAPIC page, table 12-1. In x2APIC mode: MSR 0x800 + offset / 16, table 12-6
ID            = 0x020
VERSION       = 0x030
TPR           = 0x080   # task priority
APR           = 0x090   # arbitration priority
PPR           = 0x0A0   # processor priority
EOI           = 0x0B0   # end of interrupt
RRD           = 0x0C0   # remote read
LDR           = 0x0D0   # logical destination
DFR           = 0x0E0   # destination format
SVR           = 0x0F0   # spurious interrupt vector
ISR           = 0x100   # in service, eight registers
TMR           = 0x180   # trigger mode, eight registers
IRR           = 0x200   # requested, eight registers
ESR           = 0x280   # errors
LVT_CMCI      = 0x2F0   # not in a version 0x14 with six local vectors
ICR_LOW       = 0x300   # interrupt command
ICR_HIGH      = 0x310
LVT_TIMER     = 0x320
LVT_THERMAL   = 0x330
LVT_COUNTERS  = 0x340
LVT_LINT0     = 0x350
LVT_LINT1     = 0x360
LVT_ERROR     = 0x370
INITIAL_COUNT = 0x380
CURRENT_COUNT = 0x390
DIVIDE        = 0x3E0
SELF_IPI      = 0x3F0   # x2APIC mode only, 12.12.11

STRIDE = 0x10           # from one register to the next, 12.4.1

MSR_BASE           = 0x01B   # IA32_APIC_BASE
MSR_TSC_DEADLINE   = 0x6E0   # IA32_TSC_DEADLINE
MSR_X2APIC         = 0x800   # first of 256 addresses, 12.12.1.2
MSR_X2APIC_ICR     = 0x830   # one register of 64 bits, 12.12.9

# IA32_APIC_BASE, 12.4.4 and 12.12.1
BASE_BSP     = 1 << 8
BASE_EXTD    = 1 << 10       # x2APIC mode
BASE_EN      = 1 << 11       # global enable
BASE_ADDRESS = 0xFF_FFFF_F000  # bits 12 to MAXPHYADDR - 1; 40 address bits
DEFAULT_BASE = 0xFEE00000

# Version, 12.4.8: six local vectors, an integrated APIC
VERSION_VALUE           = 0x0005_0014
VERSION_EOI_SUPPRESSION = 1 << 24

# Spurious interrupt vector, 12.9
SVR_VECTOR          = 0xFF
SVR_ENABLE          = 1 << 8
SVR_FOCUS           = 1 << 9     # focus processor checking: gone since the Pentium 4
SVR_EOI_SUPPRESSION = 1 << 12
SVR_RESET           = 0xFF

# Destination format, 12.6.2.2
DFR_RESET    = 0xFFFF_FFFF
DFR_MODEL    = 0xF000_0000
DFR_RESERVED = 0x0FFF_FFFF      # all ones
DFR_FLAT     = 0xF000_0000
DFR_CLUSTER  = 0x0000_0000

BROADCAST       = 0xFFFF_FFFF    # 12.12.9
BROADCAST_XAPIC = 0xFF           # 12.6.2.1

# Delivery modes: ICR (12.6.1), LVT (12.5.1), messages of I/O APICs and MSI (12.11.2)
FIXED           = 0
LOWEST_PRIORITY = 1
SMI             = 2
REMOTE_READ     = 3              # reserved since the Pentium 4
NMI             = 4
INIT            = 5
SIPI            = 6
EXTINT          = 7

# Interrupt command, figures 12-12 and 12-28
ICR_VECTOR          = 0xFF
ICR_MODE_SHIFT      = 8
ICR_LOGICAL         = 1 << 11
ICR_PENDING         = 1 << 12    # delivery status, read-only; none in x2APIC mode
ICR_ASSERT          = 1 << 14
ICR_LEVEL           = 1 << 15
ICR_SHORTHAND_SHIFT = 18
ICR_WRITABLE        = 0x000C_CFFF

# Destination shorthands, 12.6.1
NO_SHORTHAND         = 0
SELF                 = 1
ALL_INCLUDING_SELF   = 2
ALL_EXCLUDING_SELF   = 3

# Local vectors, 12.5.1
TIMER, THERMAL, COUNTERS, LINT0, LINT1, ERROR = range(6)
LVTS           = 6
LVT_VECTOR     = 0xFF
LVT_MODE_SHIFT = 8
LVT_MODE       = 7 << 8
LVT_PENDING    = 1 << 12         # delivery status, read-only
LVT_POLARITY   = 1 << 13
LVT_REMOTE_IRR = 1 << 14         # read-only
LVT_LEVEL      = 1 << 15
LVT_MASKED     = 1 << 16
LVT_PERIODIC   = 1 << 17         # timer mode, 12.5.4
LVT_DEADLINE   = 2 << 17
LVT_TIMER_MODE = 3 << 17

# Writable bits of each local vector, figure 12-8
LVT_TIMER_WRITABLE = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE
LVT_EVENT_WRITABLE = LVT_VECTOR | LVT_MODE | LVT_MASKED
LVT_PIN_WRITABLE   = LVT_EVENT_WRITABLE | LVT_POLARITY | LVT_LEVEL
LVT_ERROR_WRITABLE = LVT_VECTOR | LVT_MASKED

DIVIDE_WRITABLE = 0b1011         # figure 12-10

# Errors, 12.5.3
ESR_SEND_ILLEGAL_VECTOR    = 1 << 5
ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6
ESR_ILLEGAL_REGISTER       = 1 << 7

VECTORS       = 256
FIRST_VECTOR  = 16               # 0-15 are illegal in messages, 12.5.2
PRIORITY      = 0xF0             # the class: the upper half of a vector, 12.8.3

# fmt: on
