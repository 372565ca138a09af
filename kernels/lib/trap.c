// Interrupts and exceptions. SDM vol. 3A, chapter 7.
#include "kernel.h"

struct gate idt[256] __attribute__((aligned(16)));
static void (*handlers[256])(struct trapframe *);

static const char *const names[] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9", "#TS", "#NP", "#SS", "#GP", "#PF", "15",
    "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

// Point every gate at its entry in vectors.S.
void trap_init(void) {
    extern u8 vectors[];
    for (u32 i = 0; i < 256; i++) {
        u64 entry = (u64)vectors + 16 * i;
        idt[i] = (struct gate){ entry, KCODE, 0, GATE_INTERRUPT, entry >> 16, entry >> 32, 0 };
    }
    idt[BP].type = GATE_USER;
    idt[DF].ist = IST_DF;
    idt[NMI].ist = IST_NMI;
    idt[MC].ist = IST_MC;
}

void trap_load(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof idt - 1, (u64)idt };
    asm volatile("lidt %0" :: "m"(pointer));
}

// From now on `handler` takes this vector. Handlers of local APIC interrupts call lapic_eoi() themselves.
void trap_handler(u8 vector, void (*handler)(struct trapframe *)) { handlers[vector] = handler; }

// Nobody wanted this one: say what happened and end the kernel.
static void fatal(struct trapframe *frame) {
    u64 status = 0, address = read_cr2();
    if (frame->vector == MC)
        mce_collect(&status, &address);
    print("%s, vector %lu, error %#lx, rip %#lx, cr2 %#lx, rsp %#lx, core %u\n",
          frame->vector < sizeof names / sizeof *names ? names[frame->vector] : "interrupt",
          frame->vector, frame->error, frame->rip, address, frame->rsp, this_core()->number);
    if (frame->vector == MC)
        print("machine check: status %#lx, address %#lx\n", status, address);
    exit_kernel(EXIT_FATAL + frame->vector);
}

// An attempt of probe() ended in an exception: note which, and return from probe_call() instead.
static void recover(struct core *core, struct trapframe *frame) {
    extern void probe_recover(void);
    core->outcome = (struct outcome){ (int)frame->vector, frame->error, read_cr2(), 0 };
    if (frame->vector == MC)
        mce_collect(&core->outcome.error, &core->outcome.address);
    frame->rip = (u64)probe_recover;
    frame->cs = KCODE;
    frame->ss = KDATA;
    frame->rsp = core->recover;
    frame->rflags &= ~(u64)FLAGS_IF;
    core->recover = 0;
}

// Called by vectors.S with interrupts off.
void trap(struct trapframe *frame) {
    struct core *core = this_core();
    if (handlers[frame->vector])
        handlers[frame->vector](frame);
    else if (core->recover && frame->vector < 32)
        recover(core, frame);
    else if (frame->vector != VECTOR_SPURIOUS)
        fatal(frame);
}
