"""MC146818A real-time clock and CMOS RAM, as data. Motorola MC146818A, 1984; RAM as a PC's firmware uses it.

    offset  read   write
    0       0xFF   index, bits 6:0 (bit 7 masks NMI on a PC: not here)
    1       the register or RAM byte at index
"""

# fmt: off
INDEX, DATA = 0, 1

SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY = range(8)
TIME_REGISTERS = (0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32)  # of the eight, fig. 10; CENTURY is a PC's
ALARM_REGISTERS = (0x01, 0x03, 0x05)  # seconds, minutes, hours
ALARM_ANY = 0xC0            # "don't care": any value with both bits set
HOURS_PM = 0x80             # in 12 hour mode

A = 0x0A
A_RATE = 0x0F               #   RS: periodic interrupt rate, table 5
A_DIVIDER = 0x70            #   DV, table 4:
A_32768_HZ = 0x20           #     the time base of a PC; all others hold the divider chain here
A_UIP = 0x80                #   update in progress, read only
A_AT_RESET = A_32768_HZ | 6

B = 0x0B
B_24H = 1 << 1              #   24 hour rather than 12 hour mode
B_BINARY = 1 << 2           #   DM: binary rather than BCD
B_UIE = 1 << 4              #   enables of the flags at the same places in C
B_AIE = 1 << 5
B_PIE = 1 << 6
B_SET = 1 << 7              #   the time stands still, to be set
B_AT_RESET = B_24H

C = 0x0C                    # read only, cleared by reading
C_UF = 1 << 4               #   update ended
C_AF = 1 << 5               #   alarm
C_PF = 1 << 6               #   period
C_FLAGS = C_UF | C_AF | C_PF
C_IRQF = 1 << 7             #   a flag is set that B enables

D = 0x0D
D_VRT = 0x80                #   valid RAM and time, read only

RAM_SIZE = 128
TIME_BASE = 32768           # Hz
UIP_MICROSECONDS = 244      # UIP rises that long before the update, t_BUC

RAM_BASE_MEMORY = 0x15      # KiB below 640 KiB, 16 bits
RAM_EXTENDED = (0x17, 0x30)  # KiB above 1 MiB, at most 65535; kept twice
RAM_ABOVE_16M = 0x34        # 64 KiB units, 16 bits
# fmt: on
