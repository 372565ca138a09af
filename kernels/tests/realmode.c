// What a core is when its SIPI arrives: real mode, CS:IP = page:0, interrupts off. SDM vol. 3A, table 11-1.
#include "../lib/check.h"

extern u8 real_mode[], real_mode_end[];
asm(".pushsection .rodata; .code16\n"                           // notes what it finds at 0x100 of its page
    "real_mode: movw %cs, %ax; movw %ax, %ds; movw %ax, %ss; movw $0xf00, %sp\n"
    "movl %edx, 0x10c; movl %cr0, %ecx; movl %ecx, 0x104; movw %ax, 0x100\n"
    "pushfl; popl 0x108; call 1f; 1: popw %ax; subw $(1b - real_mode), %ax; movw %ax, 0x102\n"
    "movb $1, 0x110; hlt; real_mode_end: .code64; .popsection");
struct notes { u16 cs, ip; u32 cr0, flags, edx; u8 done; };

int main(void) {
    volatile struct notes *notes = direct(low_page + 0x100);
    memcpy(direct(low_page), real_mode, real_mode_end - real_mode);
    notes->done = 0;
    CHECK(madt_cores == 2);
    lapic_send(madt_apic_id[1], ICR_INIT);
    delay_us(10);
    lapic_send(madt_apic_id[1], ICR_SIPI | low_page >> 12);
    while (!notes->done)
        pause();
    print("cs %#x, ip %#x, cr0 %#x, flags %#x, edx %#x\n", notes->cs, notes->ip, notes->cr0, notes->flags, notes->edx);
    CHECK(notes->cs == low_page >> 4 && notes->ip == 0);
    CHECK(notes->cr0 == 0x60000010 && (notes->flags & ~0x8d5u) == 2);
    CHECK(notes->edx == cpuid(1, 0).eax);                       // family, model, stepping
    return 0;
}
