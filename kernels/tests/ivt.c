// Interrupts of real mode: by the vector table that IDTR names, a frame of three words, IF off in the handler; faults
// with RIP at the instruction and no error code; NMIs and interrupts from outside. SDM vol. 3A, 21.1.4.
#include "../lib/check.h"

#define NOTES  0x800                            // of the page that the core starts in
#define STACK16 0xb00
#define TABLE  0xc00
struct note { u16 vector, ip, cs, flags, inside; };
struct notes { u16 count, done; struct note note[32]; };

extern u8 ivt_code[], ivt_end[], ivt_idtr[], ivt_short[], ivt_gdtr[], ivt_gdt[], ivt_handlers[];
extern u8 ivt_int[], ivt_int3[], ivt_div[], ivt_ud[], ivt_beyond[], ivt_into[];

// Handler n of 32 says that it is n; faults are stepped over, two bytes each.
asm(".pushsection .rodata; .code16\n"
    "ivt_code: movw %cs, %ax; movw %ax, %ds; movw %ax, %ss; movw $0xb00, %sp\n"
    "lidtl ivt_idtr - ivt_code; lgdtl ivt_gdtr - ivt_code\n"
    "movl %cr0, %eax; orb $1, %al; movl %eax, %cr0; jmp 1f; 1: movw $8, %bx; movw %bx, %fs\n"      // 4 GiB for FS
    "andb $0xfe, %al; movl %eax, %cr0; jmp 1f; 1: movl $0xfee000f0, %ebx; movl $0x1ff, %fs:(%ebx)\n"
    "sti; stc; ivt_int: int $0x15; cli; jnc fail\n"             // IRET brings the carry back
    "ivt_int3: int3; movb $127, %al; addb %al, %al; ivt_into: into\n"
    "xorw %cx, %cx; ivt_div: divb %cl; ivt_ud: ud2\n"
    "lidtl ivt_short - ivt_code; ivt_beyond: int $0x1e; lidtl ivt_idtr - ivt_code\n"
    "movw $1, 0x802\n"
    "sti; 1: hlt; cmpw $8, 0x800; jb 1b; movw $2, 0x802\n"      // an NMI and an interrupt
    "fail: cli; hlt; jmp fail\n"
    ".balign 8; ivt_idtr: .skip 8; ivt_short: .skip 8; ivt_gdtr: .skip 8\n"
    "ivt_gdt: .quad 0, 0x00cf93000000ffff\n"
    ".set n, 0; ivt_handlers: .rept 32; pushw $n; jmp 2f; .balign 8; .set n, n + 1; .endr\n"
    "2: pushw %bp; movw %sp, %bp; pushaw; movw 0x800, %bx; imulw $10, %bx, %bx\n"
    "movw 2(%bp), %ax; movw %ax, 0x804(%bx); movw 4(%bp), %cx; movw %cx, 0x806(%bx)\n"
    "movw 6(%bp), %cx; movw %cx, 0x808(%bx); movw 8(%bp), %cx; movw %cx, 0x80a(%bx)\n"
    "pushfw; popw %cx; movw %cx, 0x80c(%bx); incw 0x800\n"
    "testw %ax, %ax; jz 3f; cmpw $6, %ax; je 3f; cmpw $13, %ax; je 3f; jmp 4f; 3: addw $2, 4(%bp)\n"
    "4: cmpw $0x1f, %ax; jne 5f; movl $0xfee000b0, %ebx; movl $0, %fs:(%ebx)\n"
    "5: popaw; popw %bp; addw $2, %sp; iretw\n"
    "ivt_end: .code64; .popsection");

static void *in_page(const u8 *label) { return direct(low_page + (label - ivt_code)); }

static void lay(void) {
    struct pointer { u16 limit; u32 base; } __attribute__((packed));
    memcpy(direct(low_page), ivt_code, ivt_end - ivt_code);
    *(struct pointer *)in_page(ivt_idtr) = (struct pointer){ 0x3ff, low_page + TABLE };
    *(struct pointer *)in_page(ivt_short) = (struct pointer){ 4 * 0x1e + 2, low_page + TABLE };
    *(struct pointer *)in_page(ivt_gdtr) = (struct pointer){ 15, low_page + (ivt_gdt - ivt_code) };
    for (u32 n = 0; n < 32; n++) {
        u16 *vector = direct(low_page + TABLE + 4 * n);
        vector[0] = ivt_handlers - ivt_code + 8 * n;
        vector[1] = low_page >> 4;
    }
}

static void expect(const struct note *note, u16 vector, const u8 *ip, u16 interrupts) {
    print("vector %d at %#x, flags %#x, inside %#x\n", note->vector, note->ip, note->flags, note->inside);
    CHECK(note->vector == vector && note->cs == low_page >> 4);
    CHECK(!ip || note->ip == ip - ivt_code);
    CHECK((note->flags & FLAGS_IF) == interrupts && !(note->inside & FLAGS_IF));
}

int main(void) {
    volatile struct notes *notes = direct(low_page + NOTES);
    CHECK(madt_cores == 2 && ivt_end - ivt_code <= NOTES);
    lay();
    notes->count = notes->done = 0;
    lapic_send(madt_apic_id[1], ICR_INIT);
    delay_us(10);
    lapic_send(madt_apic_id[1], ICR_SIPI | low_page >> 12);
    for (u32 us = 0; !notes->done && us < 1000; us++)
        delay_us(1);
    CHECK(notes->count == 6 && notes->done == 1);
    const struct note *note = (const struct note *)notes->note;
    expect(note++, 0x15, ivt_int + 2, FLAGS_IF);
    CHECK(note[-1].flags & 1);
    expect(note++, 3, ivt_int3 + 1, 0);
    expect(note++, 4, ivt_into + 1, 0);
    expect(note++, 0, ivt_div, 0);
    expect(note++, 6, ivt_ud, 0);
    expect(note++, 13, ivt_beyond, 0);
    lapic_send(madt_apic_id[1], ICR_NMI);
    delay_us(50);
    CHECK(notes->count == 7);
    expect(note++, 2, NULL, FLAGS_IF);
    lapic_ipi(madt_apic_id[1], 0x1f);
    delay_us(50);
    CHECK(notes->count == 8 && notes->done == 2);
    expect(note++, 0x1f, NULL, FLAGS_IF);
    print("real mode takes interrupts by its table\n");
    return 0;
}
