"""VGA in text mode, as data. Intel OpenSource HD Graphics PRM, vol. 1 part 3, May 2010; § is a section of it.

    offset from 0x3c0   read                     write
    0x00   ARX          index                    index, then data, in turn     § 2.5
    0x01   ARX data     data                     -
    0x02   ST00 / MSR   input status 0           miscellaneous output          § 2.1
    0x04   SRX, 05 SR   sequencer index, data                                  § 2.3
    0x06   DACMASK                                                             § 2.6
    0x07   DACSTATE/RX  state                    index to read
    0x08   DACWX        index to write
    0x09   DACDATA      red, green, blue in turn
    0x0a   FCR          feature control          -
    0x0c   MSR          miscellaneous output     -
    0x0e   GRX, 0f GR   graphics controller index, data                        § 2.4
    0x14   CRX, 15 CR   CRT controller index, data                             § 2.7
    0x1a   ST01 / FCR   input status 1           feature control
"""

# fmt: off
AR_INDEX, AR_DATA, MISC_WRITE, SR_INDEX, SR_DATA = 0x00, 0x01, 0x02, 0x04, 0x05
DAC_MASK, DAC_STATE, DAC_WRITE, DAC_DATA, FCR_READ = 0x06, 0x07, 0x08, 0x09, 0x0A
MISC_READ, GR_INDEX, GR_DATA = 0x0C, 0x0E, 0x0F
CR_INDEX, CR_DATA, STATUS_1 = 0x14, 0x15, 0x1A
PORTS = 0x20

SEQUENCER = (0x03, 0x00, 0x03, 0x00, 0x02)      # mode 3, 80 x 25 characters of 9 x 16 pixels, in colour
GRAPHICS = (0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x00, 0xFF)   # GR06: memory at 0xb8000, 32 KiB
ATTRIBUTE = (
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
    0x0C, 0x00, 0x0F, 0x08, 0x00,
)
CRT = (
    0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00,
    0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
)
MISC = 0x67                 # colour: the CRT controller is at 0x3d4, ST01 at 0x3da
SR_COUNT, GR_COUNT, AR_COUNT, CR_COUNT = 8, 16, 32, 32
AR_ENABLE = 0x20            # in the index: the screen shows

CR_START_HIGH, CR_START_LOW = 0x0C, 0x0D        # first character shown, § 2.7
CR_CURSOR_HIGH, CR_CURSOR_LOW = 0x0E, 0x0F      # character under the cursor
CR_PROTECT = 0x11           # bit 7: CR00 to CR07 cannot be written
CR_PROTECTED = 0x80
CR_OVERFLOW = 0x07          # but its bit 4 can: line compare
CR_OVERFLOW_FREE = 0x10

STATUS_1_BLANK = 1 << 0     # not displaying, in a horizontal or vertical retrace
STATUS_1_RETRACE = 1 << 3   # in a vertical one

LINES_PER_SECOND = 31_469   # 28.322 MHz, 900 pixels a line
LINES, LINES_SHOWN = 449, 400
RETRACE_FIRST, RETRACE_LAST = 412, 413
LINE_PARTS, LINE_PARTS_SHOWN = 10, 8            # of a line's 900 pixels 720 are shown

COLUMNS, ROWS = 80, 25
CELLS = COLUMNS * ROWS
BLANK = 0x0720              # a space, light grey on black
# fmt: on
