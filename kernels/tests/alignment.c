// Alignment checks: #AC in ring 3 while CR0.AM and RFLAGS.AC are set. SDM vol. 3A, 7.15, interrupt 17.
#include "user.h"

extern u8 odd[], even[];
asm("even: pushfq; orq $0x40000, (%rsp); popfq; movl -32(%rsp), %eax; ud2\n"
    "odd: pushfq; orq $0x40000, (%rsp); popfq; movl -31(%rsp), %eax; ud2");

int main(void) {
    CHECK(user_probe(odd).vector == UD);
    write_cr0(read_cr0() | 1 << 18);                            // AM
    CHECK(user_probe(even).vector == UD);
    struct outcome o = user_probe(odd);
    CHECK(o.vector == AC && o.error == 0);
    print("ring 3 is kept aligned\n");
    return 0;
}
