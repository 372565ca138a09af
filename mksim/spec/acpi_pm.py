"""ACPI fixed hardware: the PM1a register block and the power management timer, as data. ACPI 6.4; § is of it.

    offset  register
    0       PM1a_STS   16 bits
    2       PM1a_EN    16 bits
    4       PM1a_CNT   16 bits
    8       PM_TMR     32 bits, read only
    12      SLEEP_CTL  8 bits, of hardware-reduced ACPI
    13      SLEEP_STS  8 bits
"""

# fmt: off
PM1_STS = 0                 # § 4.8.3.1.1; a bit is cleared by writing one
PM1_EN  = 2                 # § 4.8.3.1.2
TIMER      = 1 << 0         #   the timer's most significant bit changed
BUS_MASTER = 1 << 4         #   status only
GLOBAL     = 1 << 5
POWER_BUTTON = 1 << 8
SLEEP_BUTTON = 1 << 9
RTC_ALARM  = 1 << 10
WAKE       = 1 << 15        #   status only
PM1_EN_WRITABLE = TIMER | GLOBAL | POWER_BUTTON | SLEEP_BUTTON | RTC_ALARM

PM1_CNT = 4                 # § 4.8.3.2.1
SCI_ENABLE = 1 << 0         #   always set: there is no other mode (FADT without SMI_CMD, § 4.8.2.5)
BM_RELOAD  = 1 << 1
GLOBAL_RELEASE = 1 << 2     #   write only, for firmware in SMM; there is none
SLEEP_TYPE = 7 << 10
SLEEP_TYPE_SHIFT = 10
SLEEP_ENABLE = 1 << 13      #   write only: enter the state of SLEEP_TYPE
PM1_CNT_STORED = BM_RELOAD | SLEEP_TYPE
SOFT_OFF = 5                #   the SLEEP_TYPE that the DSDT's \\_S5 names

PM_TMR = 8                  # § 4.8.3.3
TIMER_FREQUENCY = 3_579_545 # Hz

SLEEP_CTL = 12              # § 4.8.3.7; the offsets are our own
REDUCED_SLEEP_TYPE = 7 << 2
REDUCED_SLEEP_TYPE_SHIFT = 2
REDUCED_SLEEP_ENABLE = 1 << 5   # write only
SLEEP_STS = 13              # § 4.8.3.8: nobody wakes up here, so it reads 0
BLOCK = 14                  # bytes
# fmt: on
