// Alignment checks: #AC in ring 3 while CR0.AM and RFLAGS.AC are set, of loads and stores of every size, and of nothing
// else. SDM vol. 3A, 7.15, interrupt 17.
#include "user.h"

#define CODE(name, act) extern u8 name##_even[], name##_odd[], name##_plain[]; \
    asm(#name "_even: pushfq; orq $0x40000, (%rsp); popfq; leaq -64(%rsp), %rdi; " act "; ud2\n" \
        #name "_odd: pushfq; orq $0x40000, (%rsp); popfq; leaq -63(%rsp), %rdi; " act "; ud2\n" \
        #name "_plain: leaq -63(%rsp), %rdi; " act "; ud2\n")
CODE(load2, "movw (%rdi), %ax");
CODE(load4, "movl (%rdi), %eax");
CODE(load8, "movq (%rdi), %rax");
CODE(store2, "movw %ax, (%rdi)");
CODE(store4, "movl %eax, (%rdi)");
CODE(store8, "movq %rax, (%rdi)");
CODE(add, "addl $1, (%rdi)");
CODE(locked, "lock xaddl %eax, (%rdi)");
CODE(string, "movl $1, %ecx; leaq -128(%rsp), %rsi; cld; rep movsl");
CODE(push, "movq %rdi, %rsp; pushq %rax; leaq 64(%rsp), %rsp");
CODE(byte, "movb (%rdi), %al; movb %al, 1(%rdi)");

static const struct { const u8 *even, *odd, *plain; } cases[] = {
    { load2_even, load2_odd, load2_plain }, { load4_even, load4_odd, load4_plain }, { load8_even, load8_odd, load8_plain },
    { store2_even, store2_odd, store2_plain }, { store4_even, store4_odd, store4_plain }, { store8_even, store8_odd, store8_plain },
    { add_even, add_odd, add_plain }, { locked_even, locked_odd, locked_plain }, { string_even, string_odd, string_plain },
    { push_even, push_odd, push_plain },
};

static u64 load_odd(u64 a, u64 b) { return *(volatile u64 *)((u8 *)user_stack + 1); }

int main(void) {
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(user_probe(cases[i].odd).vector == UD);           // CR0.AM is off
    write_cr0(read_cr0() | 1 << 18);
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome even = user_probe(cases[i].even), odd = user_probe(cases[i].odd), plain = user_probe(cases[i].plain);
        if (odd.vector != AC)
            print("access %u: vector %d\n", i, odd.vector);
        CHECK(even.vector == UD && odd.vector == AC && odd.error == 0 && plain.vector == UD);
    }
    CHECK(user_probe(byte_odd).vector == UD);
    write_flags(read_flags() | 1 << 18);                        // ring 0 may
    CHECK(probe(load_odd, 0, 0).vector < 0);
    write_flags(read_flags() & ~(1ul << 18));
    write_cr0(read_cr0() & ~(1ul << 18));
    CHECK(user_probe(load4_odd).vector == UD);
    print("ring 3 is kept aligned\n");
    return 0;
}
