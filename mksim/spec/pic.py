"""8259A programmable interrupt controller, as data. Intel 8259A, order 231468-003, December 1988.

A PC has two, the slave's INT on the master's IR2; the edge/level control registers are the PIIX's
(Intel 82371AB, order 290562, section 4.2.2).

    A0  write                                     read
    0   ICW1 (D4=1), OCW2 (D4:3=0), OCW3 (D4:3=1)  IRR or ISR, as OCW3 chose; or the poll word
    1   ICW2, ICW3, ICW4 after ICW1; else OCW1    IMR
"""

# fmt: off
MASTER, SLAVE = 0, 1
CASCADE = 2                 # IR input of the master that the slave's INT drives

ICW1 = 1 << 4               # initialization command words, fig. 7
ICW1_IC4  = 1 << 0          #   ICW4 will follow
ICW1_SNGL = 1 << 1          #   single: no ICW3
ICW1_ADI  = 1 << 2          #   MCS-80 only
ICW1_LTIM = 1 << 3          #   all inputs level triggered

ICW2_BASE = 0xF8            # vector bits 7:3

ICW4_UPM  = 1 << 0          # 8086 mode
ICW4_AEOI = 1 << 1          # automatic end of interrupt
ICW4_MS   = 1 << 2          # buffered mode, master
ICW4_BUF  = 1 << 3          # buffered mode
ICW4_SFNM = 1 << 4          # special fully nested mode

OCW2_LEVEL  = 0x07          # operation command words, fig. 8: an IR number
OCW2_ACTION = 0xE0          #   R, SL, EOI; the eight of them:
OCW2_ROTATE_AEOI_CLEAR = 0x00
OCW2_EOI               = 0x20
OCW2_NOP               = 0x40
OCW2_EOI_SPECIFIC      = 0x60
OCW2_ROTATE_AEOI_SET   = 0x80
OCW2_ROTATE_EOI        = 0xA0
OCW2_SET_PRIORITY      = 0xC0
OCW2_ROTATE_SPECIFIC   = 0xE0

OCW3 = 1 << 3
OCW3_RIS  = 1 << 0          #   read ISR rather than IRR, if RR
OCW3_RR   = 1 << 1
OCW3_POLL = 1 << 2          #   the next read acknowledges, as INTA would
OCW3_SMM  = 1 << 5          #   special mask mode on rather than off, if ESMM
OCW3_ESMM = 1 << 6

POLL_PENDING = 1 << 7       # poll word: there was a request; bits 2:0 say which
SPURIOUS = 7                # "a DEFAULT IR7 will occur" when a request went away before its acknowledge

ELCR_WRITABLE = (0xF8, 0xDE)  # IRQ 0, 1, 2, 8 and 13 are always edge triggered
# fmt: on
