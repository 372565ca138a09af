"""16550A serial port, as data. National Semiconductor PC16550D, June 1995; § is a section of it.

    offset  DLAB=0 read  DLAB=0 write  DLAB=1
    0       RBR          THR           DLL      § table II
    1       IER          IER           DLM
    2       IIR          FCR           IIR/FCR
    3 - 7   LCR MCR LSR MSR SCR
"""

# fmt: off
RBR = 0                     # receiver buffer (read)
THR = 0                     # transmitter holding register (write)
DLL = 0                     # divisor latch, low byte, while LCR.DLAB

DLM = 1                     # divisor latch, high byte, while LCR.DLAB
IER = 1                     # interrupt enable, § 8.7
IER_ERBFI = 1 << 0          #   received data, and character timeout
IER_ETBEI = 1 << 1          #   transmitter holding register empty
IER_ELSI  = 1 << 2          #   receiver line status
IER_EDSSI = 1 << 3          #   modem status
IER_WRITABLE = 0x0F         #   bits 7:4 always zero

IIR = 2                     # interrupt identification (read), § 8.6, table IV; highest priority first:
IIR_LINE    = 0x06          #   1: receiver line status
IIR_DATA    = 0x04          #   2: received data available
IIR_TIMEOUT = 0x0C          #   2: character timeout
IIR_THRE    = 0x02          #   3: transmitter holding register empty
IIR_MODEM   = 0x00          #   4: modem status
IIR_NONE    = 0x01          #   no interrupt pending
IIR_FIFO    = 0xC0          #   set while FCR.ENABLE: how software tells a 16550A from a 16450

FCR = 2                     # FIFO control (write), § 8.5
FCR_ENABLE  = 1 << 0        #   both FIFOs
FCR_CLEAR_R = 1 << 1        #   reset the receiver FIFO, self-clearing
FCR_CLEAR_T = 1 << 2        #   reset the transmitter FIFO, self-clearing
FCR_DMA     = 1 << 3        #   mode of the RXRDY and TXRDY pins; nothing is wired to them
FCR_TRIGGER = 0xC0          #   receiver trigger level, an index into TRIGGER_LEVELS
TRIGGER_SHIFT = 6
TRIGGER_LEVELS = (1, 4, 8, 14)

LCR = 3                     # line control, § 8.1
LCR_LENGTH = 0x03           #   word length - 5
LCR_STOP   = 1 << 2         #   2 stop bits, with a word of 5 bits 1.5
LCR_PARITY = 1 << 3         #   a parity bit
LCR_PARITY_KIND = 0x30      #   even, stick
LCR_BREAK  = 1 << 6
LCR_DLAB   = 1 << 7         #   divisor latch access

MCR = 4                     # modem control, § 8.8
MCR_DTR  = 1 << 0
MCR_RTS  = 1 << 1
MCR_OUT1 = 1 << 2
MCR_OUT2 = 1 << 3           #   gates INTR onto the bus of a PC (PC/AT technical reference)
MCR_LOOP = 1 << 4           #   local loopback
MCR_WRITABLE = 0x1F         #   bits 7:5 always zero

LSR = 5                     # line status, § 8.4
LSR_DR   = 1 << 0           #   data ready
LSR_OE   = 1 << 1           #   overrun error; bits 4:1 are cleared by reading
LSR_PE   = 1 << 2           #   parity error
LSR_FE   = 1 << 3           #   framing error
LSR_BI   = 1 << 4           #   break interrupt
LSR_THRE = 1 << 5           #   transmitter holding register empty
LSR_TEMT = 1 << 6           #   transmitter empty
LSR_FIFO = 1 << 7           #   an error somewhere in the receiver FIFO
LSR_OF_CHARACTER = LSR_PE | LSR_FE | LSR_BI     # they go through the FIFO with their character

MSR = 6                     # modem status, § 8.9
MSR_DCTS = 1 << 0           #   changed since the last read; bits 3:0 are cleared by reading
MSR_DDSR = 1 << 1
MSR_TERI = 1 << 2           #   trailing edge of ring
MSR_DDCD = 1 << 3
MSR_CTS  = 1 << 4
MSR_DSR  = 1 << 5
MSR_RI   = 1 << 6
MSR_DCD  = 1 << 7
MSR_LINES = 0xF0

SCR = 7                     # scratchpad, § 8.10

FIFO_DEPTH = 16             # § 8.11
TIMEOUT = 4                 # silent character times after which characters below the trigger level interrupt
CLOCK = 1_843_200           # Hz on a PC; 16 * baud * divisor
DIVISOR_AT_RESET = 12       # 9600 baud. The pin leaves the latch as it was, and software divides by it.
# fmt: on

WORDS_MAX = 64
"""Bytes of a text that what a UART sends may be waited for."""
