// What suites for bare metal take for granted of the board: a 32-bit kernel by Multiboot starts all other processors at
// page 0 by shorthand, counts them against fw_cfg, has them work by interrupts, and uses QEMU's test device: the word,
// the lines, and the memory that only answers to each access alone. It ends by isa-debug-exit.
#include "bare.h"

enum { STACK = 4096, CORES = 8 };
enum { CALL = 0x20, LOW = 0x66, HIGH = 0x78, TEST_WORD = 0xe0, TEST_FLUSH = 0xe4, TEST_LINE = 0x2000, TEST_MEMORY = 0xff000000 };
asm("trampoline: .code16; lgdtl trampoline_gdt - trampoline; mov %cr0, %eax; or $1, %eax; mov %eax, %cr0\n"
    "ljmpl $8, $other; trampoline_gdt: .word 23; .long gdt; trampoline_end: .code32\n"
    "other: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss; mov $4096, %esp; lock xadd %esp, top\n"
    "lidt descriptor; movl $0x1ff, 0xfee000f0; lock incl online; sti; 1: hlt; jmp 1b\n"
    "on_call: push %eax; push %ecx; push %edx; call work; movl $0, 0xfee000b0; pop %edx; pop %ecx; pop %eax; iret\n"
    "on_low:  push $0x66; jmp 1f\n on_high: push $0x78\n 1: xchg %eax, (%esp); push %ecx; push %edx\n"
    "mov 12(%esp), %edx; call note; movl $0, 0xfee000b0; pop %edx; pop %ecx; pop %eax; iret\n");
extern u8 trampoline[], trampoline_end[], on_call[], on_low[], on_high[];

u8 stacks[STACK * CORES] __attribute__((aligned(16)));
u32 top = (u32)stacks + STACK;
u64 gdt[3];
struct table descriptor = { sizeof idt - 1, (u32)idt };
volatile u32 online = 1;
static volatile u32 worked, who, taken[8], interrupted[8], count;

__attribute__((used)) static void work(void) {
    asm volatile("lock orl %1, %0" : "+m"(who) : "r"(1u << (APIC(0x20) >> 24)));
    asm volatile("lock incl %0" : "+m"(worked));
}

__attribute__((used, regparm(2))) static void note(u32 vector, u32 eip) {
    taken[count & 7] = vector;
    interrupted[count++ & 7] = eip;
}

static void ioapic(u32 reg, u32 value) { IOAPIC(0) = reg; IOAPIC(0x10) = value; }
static void route(u32 pin, u32 vector) { ioapic(0x11 + 2 * pin, APIC(0x20)); ioapic(0x10 + 2 * pin, vector); }
static void toggle(u32 pin) { out8(TEST_LINE + pin, 1); out8(TEST_LINE + pin, 0); }
static void send(u32 to, u32 what) { APIC(0x310) = to << 24; APIC(0x300) = what; }

static u32 fw_cfg(u16 key) {
    asm volatile("outw %0, %1" :: "a"(key), "Nd"((u16)0x510));
    u32 value = 0;
    for (u32 shift = 0; shift < 32; shift += 8)
        value |= (u32)in8(0x511) << shift;
    return value;
}

static int processors(void) {
    u8 *low = 0;
    asm volatile("" : "+r"(low));
    for (u8 *p = trampoline; p < trampoline_end; p++)
        *low++ = *p;
    send(0, 0xc4500);                                           // INIT to all but self
    send(0, 0xc4600);                                           // start-up at page 0
    u32 cores = fw_cfg(0x05) & 0xffff, calls = 0;
    CHECK(fw_cfg(0x00) == 0x554d4551 && cores && cores <= CORES);
    while (online != cores)
        asm volatile("pause");
    for (u32 core = 1; core < cores; core++) {
        send(core, 0x4000 | CALL);
        while (worked != core)
            asm volatile("pause");
    }
    CHECK(who == (1u << cores) - 2);
    calls = worked;
    send(0xff, 0x4000 | CALL);                                  // to all by the address of all, this one too
    asm volatile("sti; nop; cli");
    while (worked != calls + cores)
        asm volatile("pause");
    CHECK(who == (1u << cores) - 1);
    return 0;
}

static int lines(void) {
    route(14, HIGH);
    route(15, LOW);
    toggle(14);
    asm volatile("sti; nop; cli");
    CHECK(count == 1 && taken[0] == HIGH);
    toggle(15);
    toggle(14);
    asm volatile("sti; nop; cli");
    CHECK(count == 3 && taken[1] == HIGH && taken[2] == LOW && interrupted[1] == interrupted[2]);
    return 0;
}

static int word(void) {
    static const char text[] = "abcdefghijklmnop";
    const char *from = text;
    u32 many = 16;
    asm volatile("cld; rep outsb" : "+S"(from), "+c"(many) : "d"(TEST_WORD));
    CHECK(in8(TEST_WORD) == 'p' && from == text + 16);
    from = text + 15, many = 16;
    asm volatile("std; rep outsb; cld" : "+S"(from), "+c"(many) : "d"(TEST_WORD));
    CHECK(in8(TEST_WORD) == 'a' && from == text - 1);
    asm volatile("outl %0, %1" :: "a"(0x12345678), "Nd"((u16)TEST_WORD));
    CHECK(in8(TEST_WORD) == 0x78 && in8(TEST_WORD + 3) == 0x12);
    asm volatile("outl %0, %1" :: "a"(0x100000), "Nd"((u16)TEST_FLUSH));        // of a page that some hypervisor keeps
    return 0;
}

static int memory(void) {
    volatile u32 *m = (u32 *)TEST_MEMORY;
    volatile u8 *bytes = (u8 *)TEST_MEMORY;
    u32 value = 0x11223344, many, edx, eax;
    u8 same, text[32];
    m[0] = 0x12345678;
    asm volatile("xchgl %0, %1" : "+r"(value), "+m"(m[0]));
    CHECK(value == 0x12345678 && m[0] == 0x11223344 && bytes[1] == 0x33 && *(volatile u16 *)(bytes + 1) == 0x2233);
    asm volatile("lock xaddl %0, %1" : "+r"(value), "+m"(m[0]));
    CHECK(value == 0x11223344 && m[0] == 0x235689bc);
    asm volatile("lock cmpxchgl %3, %1; setz %2" : "+a"(value), "+m"(m[0]), "=q"(same) : "r"(5));
    CHECK(!same && value == 0x235689bc && m[0] == 0x235689bc);
    m[1] = 9, value = 0x235689bc, edx = 9;
    asm volatile("lock cmpxchg8b %1; setz %2" : "+a"(value), "+m"(*(volatile u64 *)m), "=q"(same), "+d"(edx) : "b"(7), "c"(8));
    CHECK(same && m[0] == 7 && m[1] == 8);
    m[0] = m[1] = m[2] = m[3] = 0;
    asm volatile("btcl %1, %0" : "+m"(m[0]) : "r"(66) : "memory");
    asm volatile("btsl %1, %0" : "+m"(m[1]) : "r"(-1) : "memory");
    CHECK(m[0] == 0x80000000 && m[2] == 4);
    for (u32 i = 0; i < 32; i++)
        bytes[i] = text[i] = i;
    u8 *from = (u8 *)TEST_MEMORY, *to = text;
    many = 8;
    asm volatile("repe cmpsl; setz %3" : "+S"(from), "+D"(to), "+c"(many), "=q"(same) :: "memory");
    CHECK(same && from == bytes + 32 && to == text + 32);
    from = (u8 *)TEST_MEMORY, to = (u8 *)TEST_MEMORY + 0xff0, many = 32;        // from page to page
    asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(many) :: "memory");
    CHECK(bytes[0xff0] == 0 && *(volatile u32 *)(bytes + 0xffe) == 0x11100f0e);
    asm volatile("pushl %1; popl %0" : "=m"(m[4]) : "m"(m[1]) : "memory");
    asm volatile("mull %1" : "+a"(value), "=d"(edx) : "m"(m[4]));
    asm volatile("divl %2" : "=a"(eax), "=d"(edx) : "m"(m[1]), "0"(100), "1"(0));
    CHECK(m[4] == 0x07060504 && eax == 0 && edx == 100);
    to = (u8 *)TEST_MEMORY + 0xffc, many = 8;
    out8(TEST_WORD, 0x99);
    asm volatile("rep insb" : "+D"(to), "+c"(many) : "d"(TEST_WORD) : "memory");
    CHECK(bytes[0xffb] != 0x99 && *(volatile u32 *)(bytes + 0xffe) == 0x99999999 && bytes[0x1004] != 0x99);
    return 0;
}

struct info { u32 flags, lower, upper, device; const char *cmdline; u32 modules; };

__attribute__((used)) int main(u32 magic, const struct info *info) {
    CHECK(magic == 0x2badb002 && info->upper > 1024 && info->modules == 0 && info->cmdline);
    load_tables(gdt, sizeof gdt);
    gate(CALL, KCODE, (u32)on_call, 0x8e);
    gate(LOW, KCODE, (u32)on_low, 0x8e);
    gate(HIGH, KCODE, (u32)on_high, 0x8e);
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    APIC(0xf0) = 0x1ff;
    if (processors() || lines() || word() || memory())
        return 1;
    say("the board is as suites expect it\n");
    return 0;
}
