// From the PVH entry to 64-bit C.
//
// The loader enters start in 32-bit protected mode with flat segments, paging off and EBX at a
// hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h). The image may have been loaded
// anywhere below 4 GiB on a 2 MiB boundary (note 19, PHYS32_RELOC); linked it is at KERNBASE + IMAGE.
#include "longmode.h"
#include "memlayout.h"

#define PHYS(symbol) (symbol - KERNBASE)

// ELF notes by which the loader knows us: elfnote.h of Xen.
.macro note type:req, values:vararg
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  .long \values
2:
.endm

    note 18, PHYS(start), 0                     // PHYS32_ENTRY, 64 bits wide as in Linux
    note 19, IMAGE, 0x100000, 0xffffffff        // PHYS32_RELOC: alignment, lowest, highest

.section .text.start, "ax"
.code32
.globl start
start:
    cld
    cli
    // Where are we? PVH promises no stack: borrow one word of start_info for a call.
    movl    (%ebx), %eax
    leal    4(%ebx), %esp
    call    1f
1:  popl    %ebp
    movl    %eax, (%ebx)
    subl    $PHYS(1b), %ebp                     // ebp = load address - link address, from here on
    leal    PHYS(boot_stack_top)(%ebp), %esp

    // The low 4 GiB in 2 MiB pages; rights are for the levels above to take away.
    leal    PHYS(directories)(%ebp), %edi
    movl    $(PTE_P | PTE_W | PTE_U | PTE_PS), %eax
    movl    $2048, %ecx
1:  movl    %eax, (%edi)
    addl    $0x200000, %eax
    addl    $8, %edi
    loop    1b

    leal    PHYS(directories + PTE_P + PTE_W + PTE_U)(%ebp), %eax
    leal    PHYS(physical_4g)(%ebp), %edi
    movl    $4, %ecx
1:  movl    %eax, (%edi)
    addl    $PAGE, %eax
    addl    $8, %edi
    loop    1b

    // Top level: [0] identity, read and execute; [256] DIRECT, read and write; [511] the image.
    leal    PHYS(physical_4g + PTE_P)(%ebp), %eax
    movl    %eax, PHYS(pml4)(%ebp)
    orl     $PTE_W, %eax
    movl    %eax, PHYS(pml4 + 256*8)(%ebp)
    movl    $(PTE_NX >> 32), PHYS(pml4 + 256*8 + 4)(%ebp)
    leal    PHYS(image_pdpt + PTE_P + PTE_W)(%ebp), %eax
    movl    %eax, PHYS(pml4 + 511*8)(%ebp)
    leal    PHYS(image_directory + PTE_P + PTE_W)(%ebp), %eax
    movl    %eax, PHYS(image_pdpt + 510*8)(%ebp)
    leal    PHYS(image_pages + PTE_P + PTE_W)(%ebp), %eax
    movl    %eax, PHYS(image_directory + (IMAGE >> 21)*8)(%ebp)

    movl    $PHYS(image_start), %esi
    movl    $PHYS(image_rodata), %edi
    movl    $PTE_P, %ecx
    xorl    %edx, %edx
    call    map
    movl    $PHYS(image_data), %edi
    movl    $(PTE_NX >> 32), %edx
    call    map
    movl    $PHYS(image_end), %edi
    movl    $(PTE_P | PTE_W), %ecx
    call    map

    // The last writes to the stack before its identity alias turns read-only: a GDT, a far return.
    subl    $8, %esp
    movw    $(boot_gdt_end - boot_gdt - 1), (%esp)
    leal    PHYS(boot_gdt)(%ebp), %eax
    movl    %eax, 2(%esp)
    lgdt    (%esp)
    pushl   $KCODE
    leal    PHYS(start64)(%ebp), %eax
    pushl   %eax

    leal    PHYS(pml4)(%ebp), %edi
    enter_long_mode
    lret                                        // reads its frame by the identity alias

// Map the image's link-physical pages [esi, edi) with the entry bits edx:ecx; leaves esi at edi.
map:
    cmpl    %edi, %esi
    jae     1f
    movl    %esi, %eax
    andl    $0x1ff000, %eax
    shrl    $9, %eax                            // eight bytes of entry per page
    leal    PHYS(image_pages)(%ebp,%eax), %eax
    movl    %edx, 4(%eax)
    movl    %esi, (%eax)
    addl    %ebp, (%eax)
    orl     %ecx, (%eax)
    addl    $PAGE, %esi
    jmp     map
1:  ret

.code64
start64:
    movabsq $1f, %rax
    jmpq    *%rax                               // leave the identity alias
1:  movq    $boot_stack_top, %rsp
    xorl    %eax, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %fs
    movl    %eax, %gs
    movl    $KDATA, %eax
    movl    %eax, %ss
    movl    %ebp, %edi
    movl    %ebx, %esi
    xorl    %ebp, %ebp
    call    kernel_start                        // (load - link, start_info)
    hlt

.section .rodata
.balign 8
.globl boot_gdt, boot_gdt_end
boot_gdt:                                       // accessed bits set: nobody may write here
    .quad   0
    .quad   0x00af9b000000ffff                  // KCODE: 64-bit, execute/read
    .quad   0x00cf93000000ffff                  // KDATA
    .quad   0x00cf9b000000ffff                  // 32-bit code, for the trampoline
boot_gdt_end:

.bss
.balign PAGE
.globl pml4
pml4:            .skip PAGE
physical_4g:     .skip PAGE
directories:     .skip 4 * PAGE
image_pdpt:      .skip PAGE
image_directory: .skip PAGE
image_pages:     .skip PAGE
boot_stack:      .skip STACK
boot_stack_top:
