// A kernel that means harm: each word on its command line is one way to try. The kernel may come to grief; the
// simulator, and what others own, may not.
#include "user.h"

#define ANOTHERS 0x800000ull                      // DRAM that is nobody's

extern const char user_undefined[], user_gate[];
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

static const struct { const char *name; void (*attack)(void); } attacks[] = {
    { "no-stack", no_stack }, { "no-ist", no_ist }, { "no-gate-stack", no_gate_stack }, { "init-itself", init_itself },
    { "run-anothers", run_anothers }, { "end-and-run-anothers", end_and_run_anothers },
    { "end-and-store-to-rom", end_and_store_to_rom }, { "start-nobodys", start_nobodys },
    { "storm", storm },
};

int main(void) {
    for (u32 i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (option(attacks[i].name))
            attacks[i].attack();
    return 1;
}
