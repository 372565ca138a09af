// What 16-bit code does in real mode, as suites for bare metal try it out: stacks, segments, far calls, strings by 16 and
// 32-bit registers, decimal arithmetic, 4 GiB segments, and faults by the vector table. SDM vol. 3A, 21.1.
#include "bare.h"

enum { CODE16 = 0x18, DATA16 = 0x20, SLOTS = 5 };
static u64 gdt[SLOTS];

// Each check that fails ends the kernel with its number.
#define IS(condition)  "pushf; incw checks; popf; j" condition " 1f; jmp wrong; 1:\n"
#define EQUAL(reg, value)  "cmp " value ", %" reg "; " IS("e")

asm(".globl link_at; .set link_at, 0x4000\n"                     // in reach of 16 bits: see bare.ld
    "to_real: ljmp $0x18, $1f; .code16; 1: mov $0x20, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %fs; mov %ax, %ss\n"
    "mov $0x10, %ax; mov %ax, %gs; mov %cr0, %eax; and $~1, %eax; mov %eax, %cr0; ljmp $0, $1f\n"
    "1: xor %ax, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %fs; mov %ax, %ss; mov $real_stack + 1024, %esp; lidtl vectors\n"
    "mov %esp, %edi; push %sp; pop %ax\n" EQUAL("ax", "%di")
    "pushl $0x12345678; pop %ax; pop %bx\n" EQUAL("ax", "$0x5678") EQUAL("bx", "$0x1234")
    "mov $0x231, %bx; mov $0x123, %ax; mov %ax, %es; push %es; pop %bx\n" EQUAL("bx", "$0x123")
    "pushl %eax; popl %fs; mov %fs, %ecx\n" EQUAL("ecx", "$0x123") EQUAL("sp", "%di")
    "xor $0x12340000, %esp; push %ax; xor $0x12340000, %esp; pop %dx\n" EQUAL("dx", "$0x123")        // SP alone counts
    "mov $1, %ax; mov $2, %cx; mov $7, %bp; pusha; xor %ax, %ax; xor %bp, %bp; popa\n" EQUAL("ax", "$1") EQUAL("bp", "$7")
    "mov $0x55, %bp; enter $16, $0; mov %sp, %bx; leave; add $18, %bx\n" EQUAL("bx", "%di") EQUAL("bp", "$0x55")

    "xor %ax, %ax; push %ax; call near; pop %cx\n" EQUAL("ax", "$0x1234") EQUAL("sp", "%di")
    "lcallw $0, $far\n" EQUAL("ax", "$0x4321")
    "push %ax; push %ax; lcallw *pointer\n" EQUAL("ax", "$0x1111") EQUAL("sp", "%di")
    "jmp 3f; 2: retw $6; 3: sub $6, %sp; call 2b\n" EQUAL("sp", "%di")
    "ljmp *back; jmp wrong; back_here: nop\n"
    "lds pointer, %si; mov %ds, %ax; xor %bx, %bx; mov %bx, %ds\n" EQUAL("ax", "$0") EQUAL("si", "$far_clean")
    "lesl wide, %ebx; mov %es, %ax; xor %bp, %bp; mov %bp, %es\n" EQUAL("ax", "$0x77") EQUAL("ebx", "$0x11223344")

    "mov $0x0f, %al; mov $1, %ah; aaa\n" EQUAL("ax", "$0x0205")
    "mov $0x9a, %al; clc; daa\n" IS("c") EQUAL("al", "$0")
    "mov $0x1234, %ax; aam\n" EQUAL("ax", "$0x0502") "mov $0x0502, %ax; aad\n" EQUAL("ax", "$52")
    "stc; .byte 0xd6\n" EQUAL("al", "$0xff") "mov $0x1ff, %ax; sub $0x20, %al; das\n" EQUAL("ah", "$1")
    "mov $table, %bx; mov $3, %al; xlat\n" EQUAL("al", "$'d'")
    "mov $0x80, %al; cbw\n" EQUAL("ax", "$0xff80") "cwd\n" EQUAL("dx", "$0xffff") "cwde; cdq\n" EQUAL("edx", "$-1")
    "mov $0x00010000, %ecx; jcxz 2f; jmp wrong; 2: mov $3, %ecx; xor %ax, %ax; 2: inc %ax; loop 2b\n" EQUAL("ax", "$3")
    "mov $0xbe, %eax; mov $0xef000000, %edx; shld $8, %edx, %eax\n" EQUAL("eax", "$0xbeef")
    "mov $-1, %eax; imul $51, %eax\n" EQUAL("eax", "$-51") "mov $0x8000, %ax; movzx %ah, %ecx; movsx %ax, %edx\n" EQUAL("ecx", "$0x80") EQUAL("edx", "$-0x8000")
    "smsw %ax; test $1, %al\n" IS("z")

    "mov $table, %si; mov $copy, %di; mov $4, %cx; cld; rep movsb; cmpl $0x64636261, copy\n" IS("e") EQUAL("si", "$table + 4")
    "std; mov $copy + 3, %edi; mov $0x00000004, %ecx; mov $'z', %al; .byte 0x67; rep stosb; cld; cmpl $0x7a7a7a7a, copy\n" IS("e")
    "mov $copy, %edi; mov $'y', %al; mov $5, %ecx; .byte 0x67; repne scasb\n" EQUAL("ecx", "$0")
    "mov $table, %si; mov $0xe0, %dx; mov $4, %cx; rep outsb; in $0xe0, %al\n" EQUAL("al", "$'d'")
    "mov $0xffff, %ax; out %ax, $0xe0; in $0xe0, %ax\n" EQUAL("ax", "$0xffff")

    "mov $0x200004, %ebx; movl $0xcafe, %gs:(%ebx); movl %gs:(%ebx), %eax\n" EQUAL("eax", "$0xcafe")    // above 1 MiB
    "mov $0x10, %ax; mov %ax, %gs; mov $0x200004 - 0x100, %ebx; movl %gs:(%ebx), %ecx\n" EQUAL("ecx", "$0xcafe")   // another base, the old limit

    "movw $0, taken; xor %cx, %cx; mov $5, %ax; xor %dx, %dx; div %cx\n" EQUAL("ax", "$5") "cmpw $0x100, taken\n" IS("e")
    "movw $0, taken; mov $5, %ax; bound %ax, limits; cmpw $0x105, taken\n" IS("e")
    "movw $0, taken; mov $0x7f, %al; inc %al; into; cmpw $0x104, taken\n" IS("e")
    "movw $0, taken; ud2; cmpw $0x106, taken\n" IS("e")
    "movw $0, taken; sti; stc; int $0x20; cmpw $0x120, taken\n" IS("e") "pushf; pop %ax; test $0x200, %ax\n" IS("nz") "cli\n"

    "mov $message, %si; mov $0x3f8, %dx; 2: lodsb; test %al, %al; jz 3f; out %al, %dx; jmp 2b; 3: xor %ax, %ax; out %ax, $0xf4; hlt\n"
    "wrong: mov checks, %ax; out %ax, $0xf4; cli; hlt\n"
    "near: mov $0x1234, %ax; ret\n far: mov $0x4321, %ax; lretw\n far_clean: mov $0x1111, %ax; lretw $4\n"
    // A fault's instruction is left out; the vector and 0x100 are noted.
    "on_div: movw $0x100, taken; push %bp; mov %sp, %bp; addw $2, 2(%bp); pop %bp; iret\n"
    "on_bound: movw $0x105, taken; push %bp; mov %sp, %bp; addw $4, 2(%bp); pop %bp; iret\n"
    "on_ud: movw $0x106, taken; push %bp; mov %sp, %bp; addw $2, 2(%bp); pop %bp; iret\n"
    "on_into: movw $0x104, taken; iret\n on_int: movw $0x120, taken; iret\n"
    ".balign 4; pointer: .word far_clean, 0; back: .word back_here, 0; wide: .long 0x11223344; .word 0x77; limits: .word 10, 20\n"
    "table: .ascii \"abcdefgh\"; copy: .long 0, 0; message: .asciz \"real mode runs 16-bit code\\n\"; taken: .word 0; checks: .word 0\n"
    "vectors: .word 0x3ff; .long 0x600\n.balign 16; real_stack: .skip 1024\n.code32\n");
void to_real(void);
extern u8 on_div[], on_bound[], on_ud[], on_into[], on_int[];

__attribute__((used)) int main(void) {
    static u8 *const handlers16[][2] = { { (u8 *)0, on_div }, { (u8 *)4, on_into }, { (u8 *)5, on_bound }, { (u8 *)6, on_ud }, { (u8 *)0x20, on_int } };
    load_tables(gdt, sizeof gdt);
    gdt[CODE16 / 8] = segment(0, 0xffff, 0x9b);
    gdt[DATA16 / 8] = segment(0, 0xffff, 0x93);
    for (u32 i = 0; i < sizeof handlers16 / sizeof *handlers16; i++)
        ((volatile u32 *)0x600)[(u32)handlers16[i][0]] = (u32)handlers16[i][1];
    to_real();
    return 1;
}
