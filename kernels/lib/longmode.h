// For assembly: paging on with the page tables at edi, in the order of SDM vol. 3A, 11.8.5.
// Spoils eax, ecx, edx. The code that follows must be identity-mapped.
.macro enter_long_mode
    movl    $0x20, %eax                         // CR4.PAE
    movl    %eax, %cr4
    movl    %edi, %cr3
    movl    $0xc0000080, %ecx                   // EFER
    rdmsr
    orl     $0x900, %eax                        // LME, NXE
    wrmsr
    movl    $0x80010021, %eax                   // CR0: PG, WP, NE, PE
    movl    %eax, %cr0
.endm
