// The console: a 16550A (PC16550D datasheet, 8.0), polled. Which one, the SPCR table says.
#include "kernel.h"

#define LCR_8N1         0x03
#define LCR_DLAB        0x80                    // the divisor is at 0 and 1
#define FCR_CLEARED     0x07                    // FIFOs on, both cleared
#define MCR_READY       0x03                    // DTR, RTS
#define LSR_THR_EMPTY   0x20
#define COM1            0x3f8

static u16 port = COM1;

// Serial port console redirection table, revision 2: only the port matters here.
struct spcr {
    struct acpi_header header;
    u8 interface, reserved[3];
    u8 space, width, offset, access;            // generic address structure: space 1 = I/O
    u64 address;
} __attribute__((packed));

void uart_open(u16 port, u8 fifo_control) {
    outb(port + UART_IER, 0);
    outb(port + UART_LCR, LCR_DLAB | LCR_8N1);
    outb(port + UART_DIVISOR_LOW, 1);
    outb(port + UART_DIVISOR_HIGH, 0);
    outb(port + UART_LCR, LCR_8N1);
    outb(port + UART_FCR, fifo_control);
    outb(port + UART_MCR, MCR_READY);
}

void uart_init(void) {
    const struct spcr *spcr = acpi_table("SPCR");
    if (spcr && spcr->space == 1)
        port = spcr->address;
    uart_open(port, FCR_CLEARED);
}

void uart_write(const char *text, u32 length) {
    for (; length; length--, text++) {
        while (!(inb(port + UART_LSR) & LSR_THR_EMPTY))
            pause();
        outb(port + UART_DATA, *text);
    }
}
