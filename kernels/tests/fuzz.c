// A kernel that throws dice. With acts=N: so many acts that one survives, on ports, device registers, MSRs,
// control registers and descriptors, each undone. With fatal: one act that nobody survives for sure. With
// witness: none; it watches over memory of its own meanwhile. seed=N says which dice.
#include "dice.h"

#define LAPIC_PAGE   0xfee00000ull
#define SCRATCH      4096
#define WITNESSED    0x40000
#define OTHER_ENTRY  2                          // of the top level: where wild mappings go
#define CR0_PG       (1ull << 31)
#define CR4_PAGING   (1ull << 5 | 1ull << 12)   // PAE, LA57
#define WILD         ((u64)OTHER_ENTRY << 39)

static u8 scratch[SCRATCH] __attribute__((aligned(PAGE)));
static u8 witnessed[WITNESSED];
static u64 wild_directory[2][512] __attribute__((aligned(PAGE)));

static u64 edge(void) { return 1ull << below(64); }

// Values that are interesting more often than most are.
static u64 word(void) {
    switch (below(4)) {
    case 0: return dice();
    case 1: return edge() + below(3) - 1;
    case 2: return dice() & dice() & dice() & dice();
    default: return below(256);
    }
}

#define PICK(table) (table)[below(sizeof(table) / sizeof(*(table)))]

static u64 physical_address(void) {
    static const u64 seams[] = {
        0, 0x1000, 0x70000, 0x80000, 0xa0000, 0xb8000, 0xf0000, 0x100000, 0xc0000000, 0xe0000000, 0xfec00000, 0xfec01000,
        0xfed00000, LAPIC_PAGE, 0xfee01000, 0xffff0000, 0x100000000, 1ull << 40, 1ull << 44, 1ull << 51,
    };
    return below(3) ? PICK(seams) + below(0x1000) - 8 * below(2) : below(4) ? below(1 << 27) : word();
}

// Ports. What ends a kernel is left to fatal acts.

static bool ends(u16 port) {
    return (port >= 0xf4 && port < 0xfc) || (port >= 0x600 && port < 0x60e) || port == 0xcf9 || port == 0x92 || port == 0x64;
}

static u16 any_port(void) {
    static const u16 known[] = { 0x20, 0xa0, 0x40, 0x42, 0x60, 0x70, 0x80, 0xe8, 0x2f8, 0x3f8, 0x4d0, 0x510, 0xcf8, 0xcfc,
                                 0x1000, 0xffff };
    return below(4) ? PICK(known) + below(8) : dice();
}

static u64 touch_port(u64 unused, u64 value) {
    u16 port = any_port();
    for (u16 i = 0; i < 4; i++)
        if (ends(port + i))
            return 0;
    void *buffer = scratch + below(64);
    u64 count = below(100);
    switch (below(10)) {
    case 0: return inb(port);
    case 1: return inw(port);
    case 2: return inl(port);
    case 3: outb(port, value); break;
    case 4: outw(port, value); break;
    case 5: outl(port, value); break;
    case 6: asm volatile("rep insb" : "+D"(buffer), "+c"(count) : "d"(port) : "memory"); break;
    case 7: asm volatile("rep insl" : "+D"(buffer), "+c"(count) : "d"(port) : "memory"); break;
    case 8: asm volatile("rep outsb" : "+S"(buffer), "+c"(count) : "d"(port) : "memory"); break;
    case 9: asm volatile("rep outsw" : "+S"(buffer), "+c"(count) : "d"(port) : "memory"); break;
    }
    return 0;
}

// Memory. No INIT to oneself, and no mapping of one's own memory that is not undone.

static u32 harmless_icr(u64 value) {
    u32 mode = value >> 8 & 7;
    return mode >= 4 ? (value & ~0xcc000ul) | (below(2) ? 0xc0000 : 0) : value;         // NMI and above: never to itself
}

static u64 access(u64 address, u64 value) {
    void *at = (void *)address, *buffer = scratch + below(64);
    u64 count = below(16);
    switch (below(14)) {
    case 0: return *(volatile u8 *)at;
    case 1: return *(volatile u16 *)at;
    case 2: return *(volatile u32 *)at;
    case 3: return *(volatile u64 *)at;
    case 4: *(volatile u8 *)at = value; break;
    case 5: *(volatile u16 *)at = value; break;
    case 6: *(volatile u32 *)at = value; break;
    case 7: *(volatile u64 *)at = value; break;
    case 8: asm volatile("xchgl %k0, (%1)" : "+r"(value) : "r"(at) : "memory"); break;
    case 9: asm volatile("lock addq %0, (%1)" :: "r"(value), "r"(at) : "memory"); break;
    case 10: asm volatile("lock cmpxchg8b (%0)" :: "r"(at), "a"(0), "d"(0), "b"(1), "c"(2) : "memory"); break;
    case 11: asm volatile("rep movsb" : "+S"(at), "+D"(buffer), "+c"(count) :: "memory"); break;
    case 12: asm volatile("rep movsq" : "+S"(buffer), "+D"(at), "+c"(count) :: "memory"); break;
    case 13: asm volatile("rep stosl" : "+D"(at), "+c"(count) : "a"(value) : "memory"); break;
    }
    return 0;
}

static bool own(u64 address) {                  // what it needs to go on: below 32 MiB all that is its image's
    u64 image = physical((void *)(KERNBASE + IMAGE)) & -0x200000ull;
    return address >= image - 0x1000 && address < image + 0x200000;
}

static u64 touch_device(u64 unused, u64 value) {
    u64 address = physical_address() & 0xffffffff;
    if (own(address))
        return 0;
    if (address >= LAPIC_PAGE - 64 && address < LAPIC_PAGE + 0x400) {
        u32 reg = below(0x40) * 16;
        if (reg == APIC_ICR)
            lapic_write(APIC_ICR_HIGH, dice() | 0x80000000);    // nobody near
        lapic_write(reg, reg == APIC_ICR ? harmless_icr(value) : value);
        return lapic_read(reg);
    }
    return access(DIRECT + address, value);
}

// A page-table entry, or one that points to a table, of any value.
static u64 touch_mapping(u64 unused, u64 value) {
    u64 frame = physical_address(), flags = PTE_P | (word() & 0xfff) | (below(8) ? 0 : word() & 0xfff0000000000000);
    if (own(frame) || (frame & 0xffffffe00000) == (LAPIC_PAGE & -0x200000ull))
        return 0;
    wild_directory[0][0] = physical(wild_directory[1]) | PTE_P | PTE_W | PTE_U;
    wild_directory[1][0] = (frame & -0x200000ull) | PTE_PS | flags;
    wild_directory[0][1] = (frame & -0x1000ull) | flags;
    pml4[OTHER_ENTRY] = physical(wild_directory[0]) | PTE_P | PTE_W | PTE_U;
    pml4[OTHER_ENTRY + 1] = (frame & -0x1000ull) | flags;
    write_cr3(read_cr3());
    return access(WILD + PICK(((u64[]){ 0, 1ull << 30, 1ull << 39 })) + below(0x1000), value);
}

// MSRs. This core's GS, no-execute pages and readiness for machine checks stay.

static u64 touch_msr(u64 unused, u64 value) {
    static const u32 known[] = { 0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x8b, 0xc1, 0xfe, 0x10a, 0x174, 0x175, 0x176, 0x179, 0x17b,
                                 0x186, 0x1a0, 0x1d9, 0x200, 0x277, 0x2ff, 0x38f, 0x400, 0x401, 0x402, 0x403, 0x6e0, 0x830, 0xda0,
                                 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100, 0xc0000102, 0xc0000103, 0xc0010114, 0xc0010117 };
    u32 msr = below(8) ? PICK(known) : below(2) ? 0x800 + below(0x40) : dice();
    if (below(2))
        return rdmsr(msr);
    if (msr == MSR_GS_BASE || msr == MSR_EFER || msr == MSR_MCG_STATUS)
        return 0;
    if (msr == 0x830)
        value = harmless_icr(value) | 0x8000000000000000;
    wrmsr(msr, value);
    return 0;
}

static void restore_apic(void) {
    u64 base = LAPIC_PAGE | APIC_BASE_ENABLE | (rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP);
    if (rdmsr(MSR_APIC_BASE) != base) {
        wrmsr(MSR_APIC_BASE, base & ~(u64)APIC_BASE_ENABLE);
        wrmsr(MSR_APIC_BASE, base);
    }
    lapic_write(APIC_SVR, 0x1ff);
}

// Control registers: one bit at a time, and back.

static u64 touch_control(u64 unused, u64 value) {
    u64 kept, bit = edge();
    switch (below(5)) {
    case 0: write_cr8(value & 31); break;
    case 1: kept = read_cr0(); write_cr0(kept ^ (bit & ~CR0_PG)); write_cr0(kept); break;
    case 2: kept = read_cr4(); write_cr4(kept ^ (bit & ~CR4_PAGING)); write_cr4(kept); break;
    case 3: asm volatile("mov %0, %%cr2; mov %%cr2, %0" : "+r"(value)); break;
    case 4: take_interrupts(); break;
    }
    return 0;
}

// Descriptors, in the spare slot of the GDT and in an LDT.

static u64 touch_descriptor(u64 unused, u64 value) {
    struct core *core = this_core();
    u32 spare = SPARE | below(8), seen = 0;
    core->gdt[SPARE / 8] = below(2) ? value : core->gdt[1 + below(7)] ^ edge();
    switch (below(10)) {
    case 0: asm volatile("movl %0, %%ds" :: "r"(spare)); break;
    case 1: asm volatile("movl %0, %%es" :: "r"(spare)); break;
    case 2: asm volatile("movl %0, %%fs" :: "r"(spare)); break;
    case 3: asm volatile("movl %0, %%gs" :: "r"(spare)); break;
    case 4: asm volatile("movl %0, %%ss; movl %1, %%ss" :: "r"(spare), "r"(KDATA)); break;
    case 5: asm volatile("lar %1, %0" : "+r"(seen) : "r"(spare)); break;
    case 6: asm volatile("lsl %1, %0" : "+r"(seen) : "r"(spare)); break;
    case 7: asm volatile("verr %w0; verw %w0" :: "r"(spare)); break;
    case 8: asm volatile("lldt %w0" :: "r"(spare & ~7)); break;
    case 9: asm volatile("ltr %w0; andb $0xfd, %1; ltr %w2" :: "r"(spare & ~7), "m"(((u8 *)&core->gdt[TSS / 8])[5]), "r"(TSS)
                         : "memory"); break;
    }
    return 0;
}

static void restore_segments(void) {
    asm volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; lldt %w0" :: "r"(0));
}

static u64 gs_base;

static u64 act(u64 a, u64 value) {
    static u64 (*const acts[])(u64, u64) = { touch_port, touch_device, touch_mapping, touch_msr, touch_control, touch_descriptor };
    u64 result = PICK(acts)(a, value);
    wrmsr(MSR_GS_BASE, gs_base);
    return result;
}

static void ignore(struct trapframe *frame) {
    frame->rflags &= ~(u64)FLAGS_IF;
    restore_apic();
    lapic_eoi();
}

static void ignore_nmi(struct trapframe *frame) { }

// A machine check for a page-table walk or a message comes late, maybe when the act is over.
static void take_check(struct trapframe *frame) {
    extern void probe_recover(void);
    struct core *core = this_core();
    u64 status, address;
    mce_collect(&status, &address);
    if (core->recover) {
        core->outcome.vector = MC;
        frame->rip = (u64)probe_recover;
        frame->rsp = core->recover;
        core->recover = 0;
    }
}

static int survive(u64 acts) {
    static u64 faults[33];
    for (u32 vector = 32; vector < 256; vector++)
        trap_handler(vector, ignore);
    trap_handler(NMI, ignore_nmi);
    trap_handler(MC, take_check);
    gs_base = (u64)this_core();
    for (u64 i = 0; i < acts; i++) {
        faults[1 + probe(act, 0, word()).vector]++;
        wrmsr(MSR_GS_BASE, gs_base);
        restore_segments();
        restore_apic();
        uart_init();                            // for what remains to be said
    }
    print("%lu acts, %lu without a fault, %lu #GP, %lu #PF, %lu #MC\n", acts, faults[0], faults[1 + GP], faults[1 + PF],
          faults[1 + MC]);
    return 0;
}

// Fatal acts

static void wild_controls(void) {
    for (int i = 0; i < 64; i++) {
        switch (below(4)) {
        case 0: asm volatile("mov %0, %%cr0" :: "r"(read_cr0() ^ word())); break;
        case 1: asm volatile("mov %0, %%cr4" :: "r"(read_cr4() ^ word())); break;
        case 2: wrmsr(MSR_EFER, rdmsr(MSR_EFER) ^ word()); break;
        case 3: asm volatile("mov %0, %%cr3" :: "r"(read_cr3() ^ (edge() & -0x1000ul))); break;
        }
    }
}

static void wild_page_tables(void) {
    write_cr3(below(2) ? word() : physical_address());
    access(word(), 0);
}

static void wild_entries(void) {
    for (int i = 0; i < 64; i++)
        pml4[below(512)] = word();
    write_cr3(read_cr3());
    access(word(), 0);
}

static void wild_tables(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) table = { word(), below(2) ? word() : DIRECT + physical_address() };
    asm volatile("lgdt %0" :: "m"(table));
    if (below(2))
        asm volatile("lidt %0" :: "m"(table));
    asm volatile("movl %0, %%es; int $0x80; ud2" :: "r"((u32)word()));
}

static void wild_jump(void) {
    asm volatile("movq %0, %%rsp; jmp *%1" :: "r"(below(2) ? word() : DIRECT + physical_address()), "r"(below(2) ? word()
                 : physical_address()));
}

static void wild_return(void) {
    this_core()->gdt[SPARE / 8] = below(2) ? word() : this_core()->gdt[1] ^ edge() ^ edge();
    asm volatile("pushq %0; pushq %1; pushq %2; pushq %3; pushq %4; iretq" :: "r"(word()), "r"(word()), "r"(word() & 0x277fd7),
                 "r"(SPARE | below(4)), "r"(physical_address()));
}

static void wild_task(void) {
    this_core()->gdt[SPARE / 8] = below(2) ? word() : (this_core()->gdt[TSS / 8] & ~(2ull << 40)) ^ edge();
    asm volatile("ltr %w0; ud2" :: "r"(SPARE));
}

static void wild_breakpoints(void) {
    asm volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3" :: "r"(word()), "r"((u64)&dice_state), "r"(read_rsp()),
                 "r"((u64)wild_breakpoints));
    asm volatile("mov %0, %%dr7" :: "r"((word() & 0xffffffff) | below(0x100)));
    asm volatile("pushfq; orq %0, (%%rsp); popfq; ud2" :: "r"(word() & 0x277fd7));
}

static void wild_messages(void) {
    for (int i = 0; i < 64; i++) {
        lapic_write(APIC_ICR_HIGH, below(2) ? lapic_id() << 24 : dice());
        lapic_write(APIC_ICR, word());
    }
}

static void wild_end(void) {
    static const u16 ports[] = { 0xf4, 0xf5, 0xf8, 0x600, 0x604, 0x60c, 0xcf9, 0x92, 0x64 };
    for (int i = 0; i < 64; i++) {
        u16 port = PICK(ports);
        u64 value = word();
        if (below(2))
            outb(port, value);
        else
            outl(port, value);
    }
}

static void wild_code(void) {
    for (u32 i = 0; i < sizeof scratch; i++)
        scratch[i] = dice();
    ((void (*)(void))(IDENTITY + physical(scratch) + below(64)))();
}

static void die(void) {
    static void (*const acts[])(void) = {
        wild_controls, wild_page_tables, wild_entries, wild_tables, wild_jump, wild_return, wild_task, wild_breakpoints, wild_messages,
        wild_end, wild_code,
    };
    if (below(4) == 0)
        write_cr4(read_cr4() & ~(u64)CR4_MCE);
    PICK(acts)();
}

static int witness(void) {
    for (u32 i = 0; i < WITNESSED; i++)
        witnessed[i] = i * 7;
    for (u64 begin = rdtsc(); rdtsc() - begin < option_number("witness", 0); )
        for (u32 i = 0; i < WITNESSED; i++)
            CHECK(witnessed[i] == (u8)(i * 7));
    return 0;
}

int main(void) {
    dice_state = option_number("seed", 1) * 0x9e3779b97f4a7c15 + 1;
    if (option("witness"))
        return witness();
    if (option("acts"))
        return survive(option_number("acts", 0));
    die();
    for (;;)
        asm volatile("pause");
}
