// Hardware tasks, which 64-bit mode has not: a 32-bit kernel by Multiboot, without paging, switches between them by
// CALL, JMP, IRET, INT, exceptions, an NMI and an interrupt. SDM vol. 3A, chapter 9.
#include "bare.h"

enum { MAIN = 0x18, OTHER = 0x20, GATE = 0x28, ABSENT = 0x30, SHORT = 0x38, V86 = 0x40, SLOTS = 9 };
enum { INTERRUPT = 0x50 };
enum { NT = 1 << 14, VM = 1 << 17, IF = 1 << 9, BUSY = 2, TASK_SWITCHED = 8 };

struct tss {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt, io_map;
};

asm(// A task: runs work() each time, and goes back by IRET. In EDX, what is on its stack: an error code, if any.
    "task_entry: pop %edx; push %edx; mov %esp, %eax; call work; mov $other_stack + 4096 - 64, %esp; iret; jmp task_entry\n"
    "jump_entry: call work; ljmp $0x18, $0; jmp jump_entry\n"
    "v86_code: ud2\n");
extern u8 task_entry[], jump_entry[], v86_code[];

u8 other_stack[4096] __attribute__((aligned(16)));
static u64 gdt[SLOTS];
static struct tss main_task, other_task, v86_task;
static volatile u32 runs, link, flags, on_stack, divisor, cr0, skip;

static u32 read_flags(void) { u32 f; asm volatile("pushf; pop %0" : "=r"(f)); return f; }
static u32 read_cr0(void) { u32 v; asm volatile("mov %%cr0, %0" : "=r"(v)); return v; }

__attribute__((used, regparm(1))) static void work(u32 *top) {
    runs++;
    link = other_task.link & 0xffff;
    flags = read_flags();
    cr0 = read_cr0();
    on_stack = top && top < (u32 *)(other_stack + 4096 - 64) ? *top : ~0u;
    divisor = 10;
    main_task.eip += skip;
    if (link == MAIN)
        asm volatile("clts");
}

static void task_gate(u32 vector) { gate(vector, OTHER, 0, 0x85); }

static u32 busy(u32 selector) { return gdt[selector / 8] >> 40 & BUSY; }

static void ready(u8 *entry) {
    other_task = (struct tss){
        .eip = (u32)entry, .eflags = 2, .esp = (u32)(other_stack + 4096 - 64),
        .es = KDATA, .cs = KCODE, .ss = KDATA, .ds = KDATA, .fs = KDATA, .gs = KDATA, .io_map = sizeof other_task,
    };
    gdt[OTHER / 8] = segment((u32)&other_task, sizeof other_task - 1, 0x89);
    runs = 0;
}

static void tables(void) {
    load_tables(gdt, sizeof gdt);
    gdt[MAIN / 8] = segment((u32)&main_task, sizeof main_task - 1, 0x89);
    gdt[GATE / 8] = (u64)OTHER << 16 | 0x85ull << 40;
    gdt[ABSENT / 8] = segment((u32)&other_task, sizeof other_task - 1, 0x09);
    gdt[SHORT / 8] = segment((u32)&other_task, 0x66, 0x89);
    gdt[V86 / 8] = segment((u32)&v86_task, sizeof v86_task - 1, 0x8b);
    asm volatile("ltr %w0" :: "r"(MAIN));
}

#define CALL(name, code) static void name(void) { asm volatile(code ::: "eax", "ecx", "edx", "memory", "cc"); }
CALL(call_task, "lcall $0x20, $0xf4f4f4f4")
CALL(call_gate, "lcall $0x28, $0")
CALL(jump_task, "ljmp $0x20, $0")
CALL(call_self, "lcall $0x18, $0")
CALL(call_absent, "lcall $0x30, $0")
CALL(call_short, "lcall $0x38, $0")
CALL(int_task, "int $0x40")
CALL(load_bad, "mov $0x1234, %%eax; mov %%eax, %%es")
CALL(return_to_nobody, "pushf; orl $0x4000, (%%esp); popf; iret")

static int by_instructions(void) {
    ready(task_entry);
    CHECK(attempt(call_task) == ~0u && runs == 1 && link == MAIN && flags & NT && cr0 & TASK_SWITCHED);
    CHECK(busy(MAIN) && !busy(OTHER) && !(read_flags() & NT) && read_cr0() & TASK_SWITCHED);
    asm volatile("clts");
    CHECK(attempt(call_gate) == ~0u && runs == 2 && link == MAIN);      // went on behind its IRET
    ready(jump_entry);
    CHECK(attempt(jump_task) == ~0u && runs == 1 && !(flags & NT));
    CHECK(busy(MAIN) && !busy(OTHER));
    CHECK(attempt(call_self) == (MAIN << 8 | GP));                      // busy
    CHECK(attempt(call_absent) == (ABSENT << 8 | NP));
    CHECK(attempt(call_short) == (SHORT << 8 | TS));
    main_task.link = OTHER;                                             // not busy: nobody to return to
    CHECK(attempt(return_to_nobody) == (OTHER << 8 | TS));
    asm volatile("pushf; andl $~0x4000, (%%esp); popf" ::: "memory", "cc");
    return 0;
}

// Until what was sent is there.
static void wait(void) {
    for (int i = 0; i < 100; i++)
        asm volatile("pause");
}

static int by_events(void) {
    ready(task_entry);
    task_gate(0x40);
    CHECK(attempt(int_task) == ~0u && runs == 1 && link == MAIN && flags & NT && !(flags & IF));
    task_gate(0);
    divisor = 0;
    u32 quotient;
    asm volatile("divl %1" : "=a"(quotient) : "m"(divisor), "a"(1500), "d"(0));
    CHECK(runs == 2 && quotient == 150);                                // again, once the task had seen to it
    plain_gate(0);
    ready(task_entry);
    task_gate(GP);
    skip = 2;
    CHECK(attempt(load_bad) == ~0u && runs == 1 && on_stack == 0x1234);     // the error code is on the task's stack
    skip = 0;
    plain_gate(GP);
    ready(task_entry);
    task_gate(NMI);
    APIC(0xf0) = 0x1ff;
    APIC(0x310) = APIC(0x20);
    APIC(0x300) = 0x400;
    wait();
    CHECK(runs == 1 && link == MAIN);
    APIC(0x300) = 0x400;                                                // not held back: IRET has ended the first
    wait();
    CHECK(runs == 2);
    task_gate(INTERRUPT);
    APIC(0x300) = 0x40000 | INTERRUPT;
    asm volatile("sti");
    wait();
    asm volatile("cli");
    APIC(0xb0) = 0;
    CHECK(runs == 3);
    return 0;
}

static int virtual_8086(void) {
    ready(task_entry);
    *(volatile u16 *)0x42000 = *(u16 *)v86_code;
    v86_task = (struct tss){ .eflags = VM | 2, .cs = 0x4200, .eip = 0, .ds = 0x1234, .es = 0x2345, .io_map = sizeof v86_task };
    main_task.link = V86;
    gdt[MAIN / 8] &= ~((u64)BUSY << 40);
    gate(UD, MAIN, 0, 0x85);                                            // #UD comes back to us
    gdt[MAIN / 8] |= (u64)BUSY << 40;
    asm volatile("pushf; orl $0x4000, (%%esp); popf; iret" ::: "memory", "cc");
    CHECK(v86_task.eip == 0 && v86_task.eflags & VM && v86_task.ds == 0x1234);
    return 0;
}

__attribute__((used)) int main(void) {
    tables();
    if (by_instructions() || by_events() || virtual_8086())
        return 1;
    say("tasks switch\n");
    return 0;
}
