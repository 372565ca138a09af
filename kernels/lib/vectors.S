// Every interrupt and exception enters here; trap() in trap.c does the rest.
#include "memlayout.h"

// Vectors with an error code on the stack, SDM vol. 3A, table 7-1: 8, 10-14, 17, 21.
#define HAS_ERROR(vector) ((0x227d00 >> (vector)) & 1)

.text
.code64
.globl vectors, probe_call, probe_recover, user_enter

.set i, 0
.balign 16
vectors:                                        // 16 bytes each
.rept 256
    .balign 16
    .if i > 31
    pushq   $0
    .elseif HAS_ERROR(i) == 0
    pushq   $0
    .endif
    pushq   $i
    jmp     all_traps
    .set i, i + 1
.endr

all_traps:                                      // the layout of struct trapframe
    pushq   %rax
    pushq   %rcx
    pushq   %rdx
    pushq   %rbx
    pushq   %rbp
    pushq   %rsi
    pushq   %rdi
    pushq   %r8
    pushq   %r9
    pushq   %r10
    pushq   %r11
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    cld
    movq    %rsp, %rdi
    call    trap
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %r11
    popq    %r10
    popq    %r9
    popq    %r8
    popq    %rdi
    popq    %rsi
    popq    %rbp
    popq    %rbx
    popq    %rdx
    popq    %rcx
    popq    %rax
    addq    $16, %rsp                           // vector, error code
    iretq

// probe_call(attempt, a, b, u64 *recover): call attempt(a, b); *recover is the stack pointer that trap()
// needs to come back by probe_recover instead, as long as it is not 0.
probe_call:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, (%rcx)
    pushq   %rcx
    movq    %rdi, %rax
    movq    %rsi, %rdi
    movq    %rdx, %rsi
    call    *%rax
    popq    %rcx
    movq    $0, (%rcx)
probe_recover:
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret

// user_enter(rip, rsp): on to ring 3; back only by a trap.
user_enter:
    pushq   $UDATA | 3
    pushq   %rsi
    pushq   $0x202                              // interrupts on
    pushq   $UCODE | 3
    pushq   %rdi
    iretq
