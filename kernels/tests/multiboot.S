// A kernel that knows nothing of PVH: Multiboot 0.6.96, 32-bit. It checks the magic number, the command
// line and the memory size that the loader owes it, says so on COM1 and ends with 0.
#define MAGIC  0x1badb002
#define FLAGS  0x00010002                       // we want the memory size; load us by the addresses below
#define BASE   0x200000

.text
.code32
.globl _start
_start:
header:
    jmp     entry
    .balign 4
multiboot:
    .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
    .long   multiboot, _start, end, end, entry  // header, load, load end, bss end, entry
entry:
    movl    $1, %esi                            // what is wrong, for the exit code
    cmpl    $0x2badb002, %eax
    jne     finish
    incl    %esi
    movl    (%ebx), %eax                        // flags of multiboot_info
    andl    $5, %eax
    cmpl    $5, %eax                            // mem_lower and mem_upper, cmdline
    jne     finish
    incl    %esi
    cmpl    $1024, 8(%ebx)                      // mem_upper, KiB from 1 MiB on
    jb      finish
    incl    %esi
    movl    16(%ebx), %edi                      // the line ends with "ready"
    xorl    %ecx, %ecx
1:  cmpb    $0, (%edi,%ecx)
    je      2f
    incl    %ecx
    jmp     1b
2:  cmpl    $0x79646165, -4(%edi,%ecx)          // "eady"
    jne     finish
    movl    $end - text, %ecx
    movl    $text, %esi
    movw    $0x3f8, %dx
    rep outsb
    xorl    %esi, %esi
finish:
    movl    %esi, %eax
    movw    $0xf4, %dx
    outl    %eax, %dx
    hlt
text:
    .ascii  "multiboot kernel: all there\n"
end:
