// The pair of 8259A interrupt controllers, as a PC has them: initialised, then silent. Intel 231468,
// "Initialization command words"; before them a write to the mask register means nothing.
#include "firmware.h"

enum {
    ICW1 = 0x11,                // edge triggered, cascaded, ICW4 follows
    ICW2_MASTER = 0x08,         // vectors 08h.., as every PC BIOS has left them
    ICW2_SLAVE = 0x70,
    ICW3_MASTER = 1 << 2,       // the slave is at input 2
    ICW3_SLAVE = 2,
    ICW4 = 0x01,                // 8086 mode
    ALL = 0xff,
};

static void init(uint16_t port, uint8_t vectors, uint8_t cascade) {
    out8(port, ICW1);
    out8(port + 1, vectors);
    out8(port + 1, cascade);
    out8(port + 1, ICW4);
    out8(port + 1, ALL);        // OCW1: mask
}

void pic_mask(void) {
    init(PORT_PIC_MASTER, ICW2_MASTER, ICW3_MASTER);
    init(PORT_PIC_SLAVE, ICW2_SLAVE, ICW3_SLAVE);
}
