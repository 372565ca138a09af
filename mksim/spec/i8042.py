"""Keyboard controller and keyboard, as data. IBM Personal System/2 hardware interface technical reference,
May 1988, "Keyboard and auxiliary device controller" and "101- and 102-key keyboards".

    offset from 0x60   read            write
    0                  output buffer   to the keyboard, or the data of a command
    4                  status          command
"""

# fmt: off
DATA, CONTROL = 0, 4

OUTPUT_FULL = 1 << 0        # status: there is a byte to read
SYSTEM      = 1 << 2        #   the self test has passed
COMMAND     = 1 << 3        #   the last write was a command
UNLOCKED    = 1 << 4

MODE_INTERRUPT = 1 << 0     # command byte: IRQ 1 when the output buffer is full
MODE_SYSTEM    = 1 << 2
MODE_DISABLED  = 1 << 4     #   the keyboard's clock is held
MODE_TRANSLATE = 1 << 6     #   scan codes of set 2 become those of set 1
MODE_AT_START = MODE_INTERRUPT | MODE_SYSTEM | MODE_TRANSLATE   # as a PC's firmware leaves it

READ_RAM, WRITE_RAM = 0x20, 0x60    # commands: the low five bits are the address; 0 is the command byte
SELF_TEST      = 0xAA
INTERFACE_TEST = 0xAB
DISABLE, ENABLE = 0xAD, 0xAE
READ_INPUT, READ_OUTPUT, WRITE_OUTPUT = 0xC0, 0xD0, 0xD1
WRITE_BUFFER   = 0xD2       #   the data comes back as if it were the keyboard's
PULSE          = 0xF0       #   low for each of bits 3:0 that is 0; bit 0 is the processor's reset
SELF_TEST_PASSED, INTERFACE_GOOD = 0x55, 0x00
INPUT_PORT = 0x80           # no keyboard lock
OUTPUT_PORT_RESET = 1 << 0  # low resets
OUTPUT_PORT_A20 = 1 << 1
OUTPUT_PORT_FULL = 1 << 4   # IRQ 1

RAM_SIZE = 32

KEYBOARD_RESET, KEYBOARD_RESEND, KEYBOARD_IDENTIFY, KEYBOARD_ECHO = 0xFF, 0xFE, 0xF2, 0xEE
KEYBOARD_SCAN_SET, KEYBOARD_RATE, KEYBOARD_LIGHTS = 0xF0, 0xF3, 0xED    # they take an argument
KEYBOARD_FIRST_COMMAND = 0xED
ACKNOWLEDGE, KEYBOARD_PASSED = 0xFA, 0xAA
IDENTITY = (0xAB, 0x83)
IDENTITY_TRANSLATED = 0x41  # 0x83, as translation shows it
SCAN_SET = 2
# fmt: on
