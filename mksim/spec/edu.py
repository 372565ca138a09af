"""QEMU's educational device, as data: docs/specs/edu.rst of QEMU.

    offset  bytes
    0x00    4       identification
    0x04    4       liveness: what was written, inverted
    0x08    4       factorial: of what was written, once it is computed
    0x20    4       status
    0x24    4       interrupt status: what the interrupts were raised with
    0x60    4       interrupt raise, write only
    0x64    4       interrupt acknowledge, write only
    0x80    4, 8    DMA source
    0x88    4, 8    DMA destination
    0x90    4, 8    DMA count
    0x98    4, 8    DMA command
    0x40000         buffer of 4096 bytes: where the DMA is from or to, as the device's side of it
"""

# fmt: off
VENDOR, DEVICE = 0x1234, 0x11E8
CLASS_OTHER = 0xFF0000
REVISION = 0x10
BAR_SIZE = 0x100000

IDENTIFICATION = 0x010000ED     # 0xRRrr00ed: version 1.0
ID, LIVENESS, FACTORIAL, STATUS, INTERRUPTS = 0x00, 0x04, 0x08, 0x20, 0x24
RAISE, ACKNOWLEDGE = 0x60, 0x64
DMA_SOURCE, DMA_DESTINATION, DMA_COUNT, DMA_COMMAND = 0x80, 0x88, 0x90, 0x98
WIDE = 0x80                     # from here on accesses of 8 bytes too

STATUS_COMPUTING = 0x01         # read only
STATUS_INTERRUPT = 0x80         # when the factorial is there
FACTORIAL_DONE = 0x001          # what that raises

DMA_RUN = 0x01                  # command: until it is done
DMA_TO_MEMORY = 0x02            #   else from it
DMA_INTERRUPT = 0x04
DMA_DONE = 0x100                # what that raises

BUFFER, BUFFER_SIZE = 0x40000, 4096
DMA_MASK = (1 << 28) - 1        # addresses it has wires for
# fmt: on

FACTORIAL_NS = 1000
DMA_NS = 2000
"""And a byte a nanosecond. The specification says nothing of time; QEMU takes 100 ms for its DMA."""
