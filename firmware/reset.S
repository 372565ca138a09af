# Where a core enters the ROM, and where it leaves it.
#
# The ROM's first byte is the target of SIPI vector F0h (CS:IP = F000:0000); the reset vector is 16 bytes
# below its end. Either way IP counts from the start of the ROM, so both ways share the 16-bit code. From
# there on everything runs at the alias below 1 MiB, which this file is linked for.

#include "memmap.h"
#include "partition.h"

#define CODE        0x08
#define CODE_64     0x10                /* __BOOT_CS and __BOOT_DS of the Linux boot protocol */
#define DATA        0x18
#define CR0_PE      0x00000001
#define CR0_PG      0x80000000
#define CR4_PAE     0x00000020
#define EFER        0xc0000080
#define EFER_LME    0x00000100
#define CR0_CACHE   0x60000000          /* CD and NW: set after reset, SDM vol. 3A, table 11-1 */
#define STACK       512                 /* of one core; CORES_MAX, a power of two, of them fit */

.section .entry, "ax"
.code16
.globl sipi_entry
sipi_entry:
        xor     %edi, %edi              # not the BSP's first start
        jmp     protect

.globl reset_entry
reset_entry:
        mov     $1, %edi

protect:
        cli
        cld
        lgdtl   %cs:(gdt_pointer - sipi_entry)
        mov     %cr0, %eax
        and     $~CR0_CACHE, %eax
        or      $CR0_PE, %eax
        mov     %eax, %cr0
        ljmpl   $CODE, $flat

.code32
flat:
        mov     $DATA, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     %ax, %fs
        mov     %ax, %gs

# Which core am I? No stack yet: that depends on the answer. EBP: own APIC ID, as lapic_id() has it.
        xor     %eax, %eax
        cpuid
        cmp     $0xb, %eax
        jb      1f
        mov     $0xb, %eax
        xor     %ecx, %ecx
        cpuid
        mov     %edx, %ebp
        test    %ebx, %ebx
        jnz     2f
1:      mov     $1, %eax
        cpuid
        shr     $24, %ebx
        mov     %ebx, %ebp

# EAX: the core with this APIC ID. The table is not checked yet, so stay within its 64 KiB whatever it says.
2:      mov     $PARTITION_TABLE, %ebx
        mov     (OFFSETOF_PARTITION_HEADER_CORES + OFFSETOF_PARTITION_ARRAY_COUNT)(%ebx), %ecx
        movzwl  (OFFSETOF_PARTITION_HEADER_CORES + OFFSETOF_PARTITION_ARRAY_OFFSET)(%ebx), %edx
        add     %edx, %ebx
        xor     %eax, %eax
        cmp     $CORES_MAX, %ecx
        ja      unknown
3:      cmp     %ecx, %eax
        jae     unknown
        cmp     %ebp, OFFSETOF_PARTITION_CORE_APIC_ID(%ebx, %eax, SIZEOF_PARTITION_CORE)
        je      known
        inc     %eax
        jmp     3b

unknown:
        mov     $-1, %eax               # it borrows the last core's stack for its last words
known:
        mov     %eax, %ecx
        and     $(CORES_MAX - 1), %ecx
        imul    $STACK, %ecx, %esp
        add     $(FIRMWARE_STACKS + STACK), %esp
        push    %edi
        push    %eax
        call    enter

# park(): this core starts nobody, and becomes its owner's; from then on without a stack.
.globl park
park:
        mov     $NOBODY, %eax
        out     %eax, $PORT_HAND_OFF
        jmp     halt                    # ends the block: the change of owner comes between two

.globl halt
halt:
        cli
        hlt
        jmp     halt

# hand_off(kernel, entry, eax, ebx): with the write to the hand-off port this core becomes the kernel's, and
# the stack is out of its reach. Both boot protocols leave ESP to the kernel, and want IF, TF and DF clear.
.globl hand_off
hand_off:
        mov     4(%esp), %eax
        mov     8(%esp), %ecx
        mov     12(%esp), %edi
        mov     16(%esp), %ebx
        xor     %edx, %edx
        xor     %esi, %esi
        xor     %ebp, %ebp
        xor     %esp, %esp
        out     %eax, $PORT_HAND_OFF
        jmp     1f                      # as above
1:      mov     %edi, %eax
        jmp     *%ecx

# hand_off_64(kernel, entry, rsi, cr3): the same in long mode, with the page tables that the kernel is given.
.globl hand_off_64
hand_off_64:
        mov     4(%esp), %ebx
        mov     8(%esp), %edi
        mov     12(%esp), %esi
        mov     16(%esp), %eax
        mov     %eax, %cr3
        mov     $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $EFER, %ecx
        mov     $EFER_LME, %eax
        xor     %edx, %edx
        wrmsr
        mov     %cr0, %eax
        or      $CR0_PG, %eax
        mov     %eax, %cr0
        ljmpl   $CODE_64, $long_mode

.code64
long_mode:
        mov     %ebx, %eax
        mov     %edi, %ecx
        xor     %ebx, %ebx
        xor     %ebp, %ebp
        xor     %esp, %esp
        xor     %edi, %edi
        out     %eax, $PORT_HAND_OFF
        jmp     1f
1:      jmp     *%rcx

.code32
# Flat segments, marked accessed so that loading them does not write to the ROM. TR is as reset left it: base
# 0, limit FFFFh, where PVH asks for a limit of 67h; a TSS could be loaded only from a GDT in RAM.
.balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      # CODE: 0-4G, execute and read
        .quad   0x00af9b000000ffff      # CODE_64: the same in long mode
        .quad   0x00cf93000000ffff      # DATA: 0-4G, read and write
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

.section .reset, "ax"
.code16
        jmp     reset_entry
