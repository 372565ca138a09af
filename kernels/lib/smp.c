// The kernel's other cores: INIT, SIPI, trampoline. SDM vol. 3A, 10.4.4.
#include "kernel.h"
#include "spinlock.h"

extern u8 trampoline[], trampoline32[], trampoline64[], trampoline_end[], boot_gdt[], boot_gdt_end[];
extern u8 trampoline_gdtr[], trampoline_jump[], trampoline_far[], trampoline_cr3[], trampoline_stack[];

#define START_TIMEOUT_US 100000

static u32 started = 1;                         // slots in cores[] that are taken
static struct core *volatile newcomer;          // the core that start-up is about
static struct spinlock lock;

struct gdtr { u16 limit; u32 base; } __attribute__((packed));

// Where a label of the trampoline is in the copy.
#define COPY(label) ((void *)((u8 *)direct(low_page) + (label - trampoline)))
#define COPY_PHYSICAL(label) (low_page + (label - trampoline))

static void lay_trampoline(u64 stack) {
    memcpy(direct(low_page), trampoline, trampoline_end - trampoline);
    *(struct gdtr *)COPY(trampoline_gdtr) = (struct gdtr){ boot_gdt_end - boot_gdt - 1, physical(boot_gdt) };
    *(u32 *)COPY(trampoline_jump) = COPY_PHYSICAL(trampoline32);
    *(u32 *)COPY(trampoline_far) = COPY_PHYSICAL(trampoline64);
    *(u64 *)COPY(trampoline_cr3) = physical(pml4);
    *(u64 *)COPY(trampoline_stack) = stack;
}

// A new core's first C: the trampoline comes here on the core's own stack.
void core_start(void) {
    struct core *core = newcomer;
    core_init(core->number);
    lapic_init();
    store_release(&core->started, 1);
    core->run(core->argument);
    for (;;)
        wait_interrupt();
}

static bool wait_started(struct core *core, u64 us) {
    u64 end = rdtsc() + us * (tsc_hz / 1000000);
    while (!load_acquire(&core->started) && rdtsc() < end)
        pause();
    return core->started;
}

// Start another core of ours: it runs run(argument), then waits for interrupts for ever.
// False if it did not answer.
bool smp_start(u32 apic_id, void (*run)(void *), void *argument) {
    acquire(&lock);
    struct core *core = &cores[started];
    *core = (struct core){ .number = started, .run = run, .argument = argument };
    newcomer = core;
    lay_trampoline(core_stack(started));
    lapic_send(apic_id, ICR_INIT);
    delay_us(10);
    lapic_send(apic_id, ICR_SIPI | low_page >> 12);
    if (!wait_started(core, 200))               // a second SIPI, as the manual has it
        lapic_send(apic_id, ICR_SIPI | low_page >> 12);
    bool alive = wait_started(core, START_TIMEOUT_US);
    started += alive;
    release(&lock);
    return alive;
}

static struct {
    void (*run)(void);
    u32 ready, finished;
} crowd;

static void join(void *unused) {
    fetch_add(&crowd.ready, 1);
    while (load_acquire(&crowd.ready) < madt_cores)
        pause();
    crowd.run();
    fetch_add(&crowd.finished, 1);
}

// Start all our other cores, have run() begin on all at the same time, and wait until all are through.
// Once in a life. False if one did not answer.
bool smp_together(void (*run)(void)) {
    crowd.run = run;
    for (u32 i = 1; i < madt_cores; i++)
        if (!smp_start(madt_apic_id[i], join, NULL))
            return false;
    join(NULL);
    while (load_acquire(&crowd.finished) < madt_cores)
        pause();
    return true;
}
