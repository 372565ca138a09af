"""High precision event timers, as data. IA-PC HPET specification, revision 1.0a, October 2004; § is of it.

    offset          register, 64 bits each                         access
    0x000           GCAP_ID    capabilities and the clock's period  read only
    0x010           GEN_CONF   configuration
    0x020           GINTR_STA  interrupt status                     writing ones clears
    0x0f0           MAIN_CNT   the counter
    0x100 + 0x20 n  Tn_CONF    configuration and capabilities
    0x108 + 0x20 n  Tn_CMP     comparator
    0x110 + 0x20 n  Tn_FSB     not here
"""

# fmt: off
TIMERS = 3
FREQUENCY = 100_000_000     # Hz, of the main counter
PERIOD = 10**15 // FREQUENCY  # in femtoseconds, as GCAP_ID has it

GCAP_ID = 0x000             # § 2.3.4
CAPABILITIES = (            #   bits 31:0
    0x8086 << 16            #     vendor ID
    | 1 << 15               #     LEG_RT_CAP: can replace the 8254 and the RTC
    | 1 << 13               #     COUNT_SIZE_CAP: 64 bits
    | (TIMERS - 1) << 8     #     NUM_TIM_CAP: the last timer
    | 1                     #     REV_ID
)

GEN_CONF = 0x010            # § 2.3.5
ENABLE = 1 << 0             #   ENABLE_CNF: the counter runs, interrupts are allowed
LEGACY = 1 << 1             #   LEG_RT_CNF: timers 0 and 1 instead of 8254 and RTC
GEN_WRITABLE = ENABLE | LEGACY

GINTR_STA = 0x020           # § 2.3.6; a bit for each timer, if it is level triggered
MAIN_CNT = 0x0F0            # § 2.3.7

TIMER = 0x100               # the first timer's registers
TIMER_SIZE = 0x20
CONF, CMP, FSB = 0x00, 0x08, 0x10   # in a timer's

INT_TYPE = 1 << 1           # Tn_CONF, § 2.3.8: level rather than edge triggered
INT_ENB  = 1 << 2
PERIODIC = 1 << 3           #   TYPE_CNF
PER_CAP  = 1 << 4           #   read only: can be periodic
SIZE_CAP = 1 << 5           #   read only: 64 bits
VAL_SET  = 1 << 6           #   the next write to Tn_CMP sets the accumulator too; reads as 0
MODE_32  = 1 << 8           #   forced to 32 bits
ROUTE_SHIFT = 9
ROUTE    = 0x1F << ROUTE_SHIFT  # pin of the I/O APIC
FSB_CAP  = 1 << 15          #   read only: no interrupts as messages (§ 2.3.10 is optional)
CONF_WRITABLE = INT_TYPE | INT_ENB | PERIODIC | MODE_32 | ROUTE
CONF_FIXED = PER_CAP | SIZE_CAP
ROUTES = 0x00F00000         # Tn_CONF, bits 63:32: the pins it may use, 20 to 23

IRQ_OF_TIMER_0, IRQ_OF_TIMER_1 = 0, 8   # in legacy replacement, § 2.3.5; IRQ 0 is pin 2 of an I/O APIC
# fmt: on
