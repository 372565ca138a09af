// Encodings that stand for nothing are #UD, however near they are to one that does. SDM vol. 2D, appendix A.
#include "../lib/check.h"

#define ATTEMPT(name, bytes) static u64 name(u64 a, u64 b) { asm volatile(".byte " bytes :: "a"(a) : "memory"); return 0; }
ATTEMPT(mov_group, "0xc7, 0xf8, 0, 0, 0, 0")                    // only /0 is there; /7 is XBEGIN, of RTM
ATTEMPT(clwb_of_register, "0x66, 0x0f, 0xae, 0xf0")
ATTEMPT(ud0, "0x0f, 0xff, 0xc0")
ATTEMPT(ud1, "0x0f, 0xb9, 0xc0")
ATTEMPT(ud2, "0x0f, 0x0b")
ATTEMPT(lock_of_register, "0xf0, 0x01, 0xc0")

int main(void) {
    u64 (*attempts[])(u64, u64) = { ud0, ud1, ud2, lock_of_register, mov_group, clwb_of_register };
    for (u32 i = 0; i < sizeof attempts / sizeof *attempts; i++)
        CHECK(probe(attempts[i], 0, 0).vector == UD);
    print("nothing is defined that is not\n");
    return 0;
}
