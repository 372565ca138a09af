// A wire between two kernels, driven by interrupts alone: what is to go waits in one queue, what came in
// another. PC16550D, 8.6.
#pragma once
#include "../lib/check.h"

#define VECTOR_WIRE   0x41
#define QUEUE         65536

#define FIFO_SETUP    0x87                      // on, cleared, interrupt at 8 characters
#define FIFO_SIZE     16
#define IER_DATA      0x01
#define IER_EMPTY     0x02
#define IER_LINE      0x04
#define IER_MODEM     0x08
#define MCR_ALL       0x0b                      // DTR, RTS, and OUT2, which lets interrupts through
#define LSR_DATA      0x01
#define LSR_OVERRUN   0x02
#define LSR_IDLE      0x40
#define MSR_CTS       0x10
#define MSR_DSR       0x20
#define IIR_NONE      0x01
#define IIR_CAUSE     0x0f
enum { CAUSE_MODEM = 0x0, CAUSE_EMPTY = 0x2, CAUSE_DATA = 0x4, CAUSE_LINE = 0x6, CAUSE_TIMEOUT = 0xc };

struct queue { u32 first, count; u8 byte[QUEUE]; };

static struct serial wire;
static struct queue going, come;
static u32 interrupts, timeouts, overruns;
static volatile u8 modem;                       // MSR, as last read

static void put(struct queue *queue, u8 byte) {
    CHECK(queue->count < QUEUE);
    queue->byte[(queue->first + queue->count++) % QUEUE] = byte;
}

static u8 take(struct queue *queue) {
    u8 byte = queue->byte[queue->first];
    queue->first = (queue->first + 1) % QUEUE;
    queue->count--;
    return byte;
}

static void fill_transmitter(void) {
    for (u32 n = 0; n < FIFO_SIZE && going.count; n++)
        outb(wire.port + UART_DATA, take(&going));
}

static void drain_receiver(void) {
    u8 status;
    while ((status = inb(wire.port + UART_LSR)) & LSR_DATA) {
        overruns += (status & LSR_OVERRUN) != 0;
        put(&come, inb(wire.port + UART_DATA));
    }
}

static void on_wire(struct trapframe *frame) {
    u8 cause;
    interrupts++;
    while (!((cause = inb(wire.port + UART_IIR) & IIR_CAUSE) & IIR_NONE)) {
        timeouts += cause == CAUSE_TIMEOUT;
        if (cause == CAUSE_EMPTY)
            fill_transmitter();
        else if (cause == CAUSE_MODEM)
            modem = inb(wire.port + UART_MSR);
        else
            drain_receiver();
    }
    lapic_eoi();
}

static void wire_open(const char *peer) {
    wire = serial_to(peer);
    CHECK(wire.wired && wire.irq && ioapic_address);
    trap_handler(VECTOR_WIRE, on_wire);
    ioapic_route(wire.irq, lapic_id(), VECTOR_WIRE);
    uart_open(wire.port, FIFO_SETUP);
    outb(wire.port + UART_MCR, MCR_ALL);
    outb(wire.port + UART_IER, IER_DATA | IER_LINE | IER_MODEM);
    modem = inb(wire.port + UART_MSR);
    while (~modem & (MSR_CTS | MSR_DSR))        // is the other side there?
        wait_interrupt();
}

// Enabling the interrupt raises it, as the transmitter is empty: its handler does the rest.
static void wire_send(void) {
    outb(wire.port + UART_IER, IER_DATA | IER_LINE | IER_MODEM);
    outb(wire.port + UART_IER, IER_DATA | IER_LINE | IER_MODEM | IER_EMPTY);
}

static u8 wire_receive(void) {
    while (!come.count)
        wait_interrupt();
    return take(&come);
}

static inline u8 pattern(u32 n) { return n * 2654435761u >> 24; }
