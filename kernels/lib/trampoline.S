// From the SIPI to 64-bit C: copied by smp.c to the kernel's own page below 1 MiB, where the core
// starts in real mode with CS = page >> 4 and IP = 0 (SDM vol. 3A, 10.4.4).
#include "longmode.h"
#include "memlayout.h"

.section .rodata
.globl trampoline, trampoline_end, trampoline_gdtr, trampoline_jump, trampoline_far, trampoline_cr3, trampoline_stack
.code16
trampoline:
    cli
    xorl    %ebx, %ebx
    movw    %cs, %bx
    movw    %bx, %ds
    shll    $4, %ebx                            // ebx = physical address of this page
    lgdtl   trampoline_gdtr - trampoline
    movl    %cr0, %eax
    orl     $1, %eax                            // PE
    movl    %eax, %cr0
    ljmpl   *(trampoline_jump - trampoline)

.code32
.globl trampoline32, trampoline64
trampoline32:
    movl    $KDATA, %eax
    movl    %eax, %ds
    movl    %eax, %ss
    movl    (trampoline_cr3 - trampoline)(%ebx), %edi
    enter_long_mode
    ljmpl   *(trampoline_far - trampoline)(%ebx)

.code64
trampoline64:
    movl    %ebx, %ebx
    movq    (trampoline_stack - trampoline)(%rbx), %rsp
    xorl    %eax, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %fs
    movl    %eax, %gs
    xorl    %ebp, %ebp
    movq    $core_start, %rax                   // in smp.c
    call    *%rax
    hlt

// Filled in by smp.c, in the copy.
.balign 8
trampoline_gdtr:  .skip 8
trampoline_jump:  .long 0, 0x18                 // trampoline32 in 32-bit code
trampoline_far:   .long 0, KCODE                // trampoline64 in 64-bit code
trampoline_cr3:   .quad 0
trampoline_stack: .quad 0
trampoline_end:
