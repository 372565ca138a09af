// A kernel that tries everything it has no right to, one after the other: to read, write and run what
// belongs to others, to interrupt, reset and restart their cores, to use their ports. Claims that under
// `guard` each attempt is refused with a machine check that names its address, and that under `trust` each
// one happens. Recovers from all of them by probe().
#include "board.h"

#define VECTOR     0x66
#define FIRMWARE   0x70000                      // its partition table
#define WALKED     (2ull << 39)                 // virtual addresses translated by a table of the victim's
#define COM1       0x3f8                        // the victim's console
#define PIC_MASK   0x21                         // the victim owns the legacy chips
#define SCREEN     0xb8000
#define PCI_ADDRESS  0xcf8
#define ECAM       0xe0000000
#define HPET_CONFIG  0xfed00010
#define HPET_COUNTER 0xfed000f0

static u64 victim, secret, victim_apic;
static u32 surprises;                           // attempts that did not end as claimed

static u64 read(u64 at, u64 unused) { return *(volatile u64 *)direct(at); }
static u64 write(u64 at, u64 value) { return *(volatile u64 *)direct(at) = value; }
static u64 add(u64 at, u64 value) { return fetch_add((u64 *)direct(at), value); }
static u64 run(u64 at, u64 unused) { return ((u32 (*)(void))at)(); }

static u64 copy(u64 at, u64 unused) {
    static u8 loot[256];
    return (u64)memcpy(loot, direct(at), sizeof loot);
}

static u64 walk(u64 table, u64 unused) {        // the processor itself reads the table, and marks it accessed
    pml4[2] = table | PTE_P | PTE_W;
    invlpg(WALKED + low_page);
    return *(volatile u64 *)(WALKED + low_page);
}

static u64 send(u64 icr, u64 destination) {
    lapic_send(destination, icr);
    delay_us(20);                               // until it has arrived, or been refused
    return 0;
}

static u64 out(u64 port, u64 value) { outb(port, value); return 0; }
static u64 out32(u64 port, u64 value) { outl(port, value); return 0; }
static u64 in(u64 port, u64 unused) { return inb(port); }

static void report(const char *what, struct outcome o, u64 where) {
    if (o.vector == MC)
        print("%s: refused, machine check at %#lx\n", what, o.address);
    else if (o.vector < 0)
        print("%s: it happened\n", what);
    else
        print("%s: exception %d\n", what, o.vector);
    bool there = o.address == where || o.address == where + 4;  // a table's entry is read in two halves
    surprises += o.vector != (option("trust") ? -1 : MC) || (o.vector == MC && !there);
}

static void attack(const char *what, u64 (*attempt)(u64, u64), u64 a, u64 b, u64 where) {
    report(what, probe(attempt, a, b), where);
}

static void attack_memory(void) {
    u64 code = 0xc300000666b8, entry = ((u64 *)direct(pml4[0] & ~0xffful))[0];  // mov $0x666, %eax; ret
    attack("read the victim's memory", read, secret, 0, secret);
    attack("write it", write, secret + 8, code, secret + 8);
    attack("add to it, locked", add, secret + 16, 1, secret + 16);
    attack("copy a piece of it", copy, secret + 64, 0, secret + 64);
    attack("read across the border", read, victim - 4, 0, victim);
    attack("write across the border", write, victim - 4, 0, victim);
    attack("run the victim's code", run, secret + 8, 0, secret + 8);
    attack("plant a page table there", write, secret + 0x1000, entry, secret + 0x1000);
    attack("walk through it", walk, secret + 0x1000, 0, secret + 0x1000);
    attack("read the firmware's memory", read, FIRMWARE, 0, FIRMWARE);
    attack("write memory of nobody", write, option_number("nobody", 0), 1, option_number("nobody", 0));
}

static void attack_devices(void) {
    attack("write to the victim's console", out, COM1, '!', COM1);
    attack("read the interrupt mask", in, PIC_MASK, 0, PIC_MASK);
    attack("read the victim's timers", read, HPET_COUNTER, 0, HPET_COUNTER);
    attack("start them", write, HPET_CONFIG, 1, HPET_CONFIG);
    attack("look for PCI devices", out32, PCI_ADDRESS, 0x80000000, PCI_ADDRESS);
    attack("and in memory", read, ECAM, 0, ECAM);
    attack("write on the victim's screen", write, SCREEN, 0x0721072107210721, SCREEN);
}

static void attack_core(const char *what, u32 icr) { attack(what, send, icr, victim_apic, icr); }

static void attack_cores(void) {
    attack_core("interrupt the victim", VECTOR);
    attack_core("interrupt everybody else", ICR_OTHERS | VECTOR);
    attack_core("send the victim an NMI", ICR_NMI);
    attack_core("send it a SIPI", ICR_SIPI | low_page >> 12);
    attack_core("reset its core by INIT", ICR_INIT);
}

int main(void) {
    struct board *board = board_window();
    victim = option_number("victim", 0);
    secret = victim + SECRET;
    victim_apic = option_number("apic", 0);
    while (load_acquire(&board->ready) < READY)
        pause();
    attack_memory();
    attack_devices();
    attack_cores();
    store_release(&board->done, 1);
    print("that was all I could think of; %u surprises\n", surprises);
    CHECK(surprises == 0);
    return 0;
}
