// A kernel that means harm: each word on its command line is one way to try. The kernel may come to grief; the
// simulator, and what others own, may not.
#include "user.h"

#define ANOTHERS 0x800000ull                      // DRAM that is nobody's

extern const char user_undefined[], user_gate[], image_end[];
asm("user_undefined: ud2\n"
    "user_gate: lcall *1f(%rip)\n"
    "1: .long 0; .word 7 * 8 | 3");

static void empty_task_register(void) { asm volatile("ltr %w0" :: "r"(0)); }

// Ring 3 and IST need a stack from the TSS; there is none.
static void no_stack(void) { empty_task_register(); user_probe(user_undefined); }

static void no_ist(void) { idt[UD].ist = 1; empty_task_register(); asm volatile("ud2"); }

static void no_gate_stack(void) {
    u64 target = (u64)no_stack;
    this_core()->gdt[7] = (target & 0xffff) | KCODE << 16 | 0xecull << 40 | (target >> 16 & 0xffff) << 48;
    this_core()->gdt[8] = target >> 32;
    empty_task_register();
    user_probe(user_gate);
}

// INIT to itself, and then all that a core can do before the block ends.
static void init_itself(void) {
    lapic_write(APIC_ICR_HIGH, lapic_id() << 24);
    asm volatile("movl %1, (%0); movl %2, (%0); cli; hlt" :: "r"(DIRECT + 0xfee00000ull + APIC_ICR), "r"(ICR_INIT),
                 "r"(ICR_SELF | 0x41) : "memory");
}

// Others' memory, where a machine check cannot be delivered.
static void run_anothers(void) { write_cr4(read_cr4() & ~(u64)CR4_MCE); try_execute(ANOTHERS); }

// What must not follow the end of a kernel, in the same block.
static void end_and_run_anothers(void) {
    asm volatile("outl %0, %w1; jmp *%2" :: "a"(5), "d"(0xf4), "r"(IDENTITY + ANOTHERS));
}

static void end_and_store_to_rom(void) {
    asm volatile("movl %0, (%2); outl %0, %w1; 1: jmp 1b" :: "a"(6), "d"(0xf4), "r"(DIRECT + 0xffff0000ull) : "memory");
}

// A core that is nobody's, started in code that ends in a triple fault: LIDT of zeros, INT3.
static void start_nobodys(void) {
    memcpy(direct(low_page), "\x0f\x01\x1e\x80\x00\xcc", 6);
    lapic_send(1, ICR_INIT);
    lapic_send(1, ICR_SIPI | low_page >> 12);
    for (u64 start = rdtsc(); rdtsc() - start < 100000;)
        pause();
}

static void storm(void) {
    static struct { u16 limit; u64 base; } __attribute__((packed)) table = { 4095, 0 };
    for (int i = 0; i < 256; i++)
        idt[i].ist = 0;
    u64 handler;
    asm volatile("leaq 1f(%%rip), %0; jmp 2f; 1: iretq; 2:" : "=r"(handler));
    idt[UD].offset_low = handler;
    idt[UD].offset_middle = handler >> 16;
    idt[UD].offset_high = handler >> 32;
    table.base = (u64)idt;
    asm volatile("lidt %0; ud2" :: "m"(table));
}

// Page tables where no memory is, or what is not for guests.
static void high_cr3(void) {
    static const u8 bits[] = { 38, 39, 40, 41, 44, 47, 51, 52, 62, 63 };
    write_cr3(1ull << bits[option_number("n", 0) % sizeof bits] | read_cr3());
    asm volatile("movq %cr3, %rax; movq %rax, %cr3; ud2");
}

static u64 random_state;

static u64 draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static u64 set_register(u64 which, u64 flips) {
    switch (which) {
    case 0: write_cr0(read_cr0() ^ flips); break;
    case 1: write_cr4(read_cr4() ^ flips); break;
    case 2: wrmsr(0xc0000080, rdmsr(0xc0000080) ^ flips); break;
    case 3: write_cr8(flips); break;
    case 4: asm volatile("movq %0, %%dr7" :: "r"(flips)); break;
    }
    return 0;
}

// Bits of CR0, CR4, EFER, CR8 and DR7 turned over, one after the other, until nothing goes any more.
static void control_registers(void) {
    random_state = option_number("n", 1) * 0x9e3779b97f4a7c15 | 1;
    for (int i = 0; i < 64; i++) {
        u64 flips = 1ull << draw() % 32;
        if (draw() % 4 == 0)
            flips = draw();
        probe(set_register, draw() % 5, flips);
        *(volatile u64 *)(DIRECT + low_page) = i;
    }
}

static void flood_console(void) {
    for (u16 port = option_number("port", 0x3f8);;)
        outb(port, 'x');
}

// Code that nobody has seen before, again and again, all over its memory.
static void flood_code(void) {
    u64 first = physical(image_end);
    for (u32 round = 0;; round++)
        for (u64 at = first; at < first + (1 << 20); at += 16) {
            u8 *place = direct(at);
            place[0] = 0xb8;                        // mov imm32, eax; ret
            memcpy(place + 1, &round, 4);
            place[5] = 0xc3;
            ((void (*)(void))(IDENTITY + at))();
        }
}

// String instructions over what is not theirs, as long as they get. IN and OUT count as well.
static void repeat(const char *what) {
    u64 from = DIRECT + option_number("from", 0), to = DIRECT + option_number("to", 0), count = option_number("count", -1);
    switch (what[0]) {
    case 's': asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0x5a5a5a5a5a5a5a5a) : "memory"); break;
    case 'm': asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) :: "memory"); break;
    case 'c': asm volatile("repe cmpsl" : "+D"(to), "+S"(from), "+c"(count) :: "memory", "cc"); break;
    case 'i': asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(0x3fd) : "memory"); break;
    case 'o': asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x3f8) : "memory"); break;
    }
}

static void rep_stos(void) { repeat("s"); }
static void rep_movs(void) { repeat("m"); }
static void rep_cmps(void) { repeat("c"); }
static void rep_ins(void) { repeat("i"); }
static void rep_outs(void) { repeat("o"); }

static const struct { const char *name; void (*attack)(void); } attacks[] = {
    { "no-stack", no_stack }, { "no-ist", no_ist }, { "no-gate-stack", no_gate_stack }, { "init-itself", init_itself },
    { "run-anothers", run_anothers }, { "end-and-run-anothers", end_and_run_anothers },
    { "end-and-store-to-rom", end_and_store_to_rom }, { "start-nobodys", start_nobodys },
    { "storm", storm }, { "high-cr3", high_cr3 }, { "control-registers", control_registers },
    { "flood-console", flood_console }, { "flood-code", flood_code }, { "rep-stos", rep_stos },
    { "rep-movs", rep_movs }, { "rep-cmps", rep_cmps }, { "rep-ins", rep_ins }, { "rep-outs", rep_outs },
};

int main(void) {
    for (u32 i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (option(attacks[i].name))
            attacks[i].attack();
    return 1;
}
