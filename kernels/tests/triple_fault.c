// No IDT left: an exception shuts the core down, and the kernel ends with that reason.
#include "../lib/check.h"

int main(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) nothing = { 0, 0 };
    print("and now without an IDT\n");
    asm volatile("lidt %0; int3" :: "m"(nothing));
    return 1;
}
