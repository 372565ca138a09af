// Sends each byte that the kernel "caller" sends over their wire back, inverted. With deaf=n it does not listen
// for n characters' time first, and claims that what did not fit into the FIFO is lost, and that it is told so.
#include "wire.h"

#define CHARACTER_US  87

static void be_deaf(u32 characters) {
    outb(wire.port + UART_IER, IER_MODEM);
    delay_us((u64)characters * CHARACTER_US);
    CHECK(!overruns);
    outb(wire.port + UART_IER, IER_DATA | IER_LINE);
    take_interrupts();
    CHECK(overruns == 1 && come.count == FIFO_SIZE);
    print("deaf for %u characters, heard the first %u\n", characters, come.count);
}

int main(void) {
    wire_open("caller");
    u32 count = option_number("count", 1000), deaf = option_number("deaf", 0);
    if (deaf) {
        be_deaf(deaf);
        return 0;
    }
    for (u32 n = 0; n < count; n++) {
        put(&going, ~wire_receive());
        wire_send();
    }
    while (going.count)
        wait_interrupt();
    while (!(inb(wire.port + UART_LSR) & LSR_IDLE))     // the last one has left
        pause();
    print("answered %u bytes in %u interrupts, %u of them timeouts\n", count, interrupts, timeouts);
    return 0;
}
