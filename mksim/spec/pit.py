"""8254 programmable interval timer, as data. Intel 8254, order 231164-005, September 1993; and port 0x61.

    offset  read                          write
    0 - 2   count or status of a counter  its count
    3       -                             control word, counter latch command, read-back command
"""

# fmt: off
FREQUENCY = 1_193_182       # Hz, CLK of all three counters on a PC: 14.31818 MHz / 12
COUNTERS = 3
CONTROL = 3

BCD = 1 << 0                # control word, fig. 7: four decades instead of 16 bits
MODE_SHIFT = 1              #   bits 3:1; 6 and 7 mean 2 and 3
MODE_MASK = 0x07
ACCESS_SHIFT = 4            #   bits 5:4
ACCESS_LATCH = 0            #     not an access: counter latch command, fig. 9
ACCESS_LSB = 1
ACCESS_MSB = 2
ACCESS_BOTH = 3             #     least significant byte first
SELECT_SHIFT = 6            #   bits 7:6, the counter
SELECT_READ_BACK = 3        #     none: read-back command, fig. 11
PROGRAMMED = 0x3F           #   what the status byte repeats

READ_BACK_NO_COUNT = 1 << 5
READ_BACK_NO_STATUS = 1 << 4
READ_BACK_COUNTER = 1       #   bits 3:1, shifted left by the counter

STATUS_OUT = 1 << 7         # status byte, fig. 12
STATUS_NULL = 1 << 6        #   the count last written is not yet in the counting element

TERMINAL_COUNT = 0          # modes: interrupt on terminal count
ONE_SHOT = 1                #   hardware retriggerable one-shot
RATE = 2                    #   rate generator
SQUARE = 3                  #   square wave
STROBE = 4                  #   software triggered strobe
HARDWARE_STROBE = 5         #   hardware triggered strobe
MODES = (TERMINAL_COUNT, ONE_SHOT, RATE, SQUARE, STROBE, HARDWARE_STROBE, RATE, SQUARE)

PORT_B_GATE = 1 << 0        # port 0x61, NMI status and control (Intel 82371AB, 4.2.6.1): GATE of counter 2
PORT_B_SPEAKER = 1 << 1     #   OUT of counter 2 drives the speaker
PORT_B_CHECKS = 0x0C        #   SERR# and IOCHK# off; there are none
PORT_B_REFRESH = 1 << 4     #   toggles at each refresh request
PORT_B_OUT2 = 1 << 5        #   OUT of counter 2
PORT_B_WRITABLE = 0x0F
REFRESH_TICKS = 18          # refresh requests are 18 CLK apart, 15.09 us
SPEAKER = 2                 # the counter that port 0x61 gates
# fmt: on
