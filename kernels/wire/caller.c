// Sends `count` bytes to the kernel "answerer" over their wire, and gets each back inverted. Claims that all
// come back, in order, and that none was faster than 115200 baud allow.
#include "wire.h"

int main(void) {
    wire_open("answerer");
    u32 count = option_number("count", 1000);
    u64 start = rdtsc();
    for (u32 n = 0; n < count; n++)
        put(&going, pattern(n));
    wire_send();
    for (u32 n = 0; n < count; n++)
        CHECK(wire_receive() == (u8)~pattern(n));
    u64 us = (rdtsc() - start) / (tsc_hz / 1000000);
    CHECK(us >= count * 86ul && !overruns);
    print("%u bytes there and back in %lu us, %u interrupts\n", count, us, interrupts);
    return 0;
}
