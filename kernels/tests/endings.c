// The other ways to end a kernel, one per word on the command line.
#include "../lib/check.h"

int main(void) {
    print("%s\n", command_line);
    if (option("halt"))
        asm volatile("cli; hlt");                               // nothing will ever wake this core
    if (option("off"))
        outw(0x604, 5 << 10 | 1 << 13);                         // PM1a_CNT: SLP_TYP 5, SLP_EN
    if (option("reset"))
        outb(0xcf9, 6);                                         // reset control: full reset
    if (option("fast"))
        outb(0x92, inb(0x92) | 1);                              // system control port A: fast reset
    if (option("keyboard"))
        outb(0x64, 0xfe);                                       // 8042: pulse the reset line
    if (option("output")) {
        outb(0x64, 0xd1);                                       // 8042: output port, bit 0 is the reset line
        outb(0x60, 0xde);
    }
    if (option("fault"))
        *(volatile u64 *)0x200000000000 = 1;
    return option_number("exit", 0);
}
