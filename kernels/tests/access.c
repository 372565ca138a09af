// Page walks by brute force: every combination of rights in two levels of tables, of 2 MiB and 4 KiB pages, of the
// protections of CR0, CR4 and EFER, and of who reads, writes or fetches, against what the manual says: whether it
// faults, the error code, and the accessed and dirty bits. SDM vol. 3A, 5.6 to 5.8.
#include "user.h"

enum { LEAF_P, LEAF_W, LEAF_U, LEAF_NX, LEAF_BAD, DIR_P, DIR_W, DIR_U, DIR_NX, DIR_PS, DIR_BAD, TOP_W, USER_BIT, WRITE,
       FETCH, WP, NXE, SMEP_BIT, BITS };
enum { ERROR_P = 1, ERROR_W = 2, ERROR_U = 4, ERROR_RESERVED = 8, ERROR_FETCH = 16 };
enum { A = 0x20, D = 0x40, CR0_WP = 1 << 16, CR4_SMEP = 1 << 20 };
#define HERE  (2ul << 39)                       // entry 2 of the top level
#define BAD   (1ul << 51)                       // beyond the physical address width
#define BAD_LARGE (1ul << 13)                   // of an address that is no multiple of 2 MiB

static u64 pdpt[512] __attribute__((aligned(PAGE))), directory[512] __attribute__((aligned(PAGE)));
static volatile u64 table[512] __attribute__((aligned(PAGE)));
static u32 flags;

static bool has(u32 bit) { return flags >> bit & 1; }

static u64 read_at(u64 a, u64 b) { return *(volatile u8 *)a; }
static u64 write_at(u64 a, u64 b) { *(volatile u8 *)a = 0xc3; return 0; }
static u64 call_at(u64 a, u64 b) { ((void (*)(void))a)(); return 0; }

extern u8 user_reads[], user_writes[], user_calls[];
asm("user_reads: movq $0x10000000000, %rcx; movb (%rcx), %al; ud2\n"
    "user_writes: movq $0x10000000000, %rcx; movb $0xc3, (%rcx); ud2\n"
    "user_calls: movq $0x10000000000, %rcx; call *%rcx; ud2\n");

static struct outcome act(void) {
    static const u8 *const user[] = { user_reads, user_writes, user_calls };
    static u64 (*const kernel[])(u64, u64) = { read_at, write_at, call_at };
    u32 what = has(FETCH) ? 2 : has(WRITE);
    if (!has(USER_BIT))
        return probe(kernel[what], HERE, 0);
    struct outcome o = user_probe(user[what]);
    if (o.vector == UD)                         // behind the access
        o.vector = -1;
    return o;
}

static u64 rights(u32 p, u32 w, u32 u, u32 nx) {
    return (has(p) ? PTE_P : 0) | (has(w) ? PTE_W : 0) | (has(u) ? PTE_U : 0) | (has(nx) ? PTE_NX : 0);
}

// A megabyte that nobody else needs, for both sizes of pages: what it holds is a RET.
static void map(u64 frame) {
    u64 base = has(DIR_PS) ? frame | PTE_PS | (has(DIR_BAD) ? BAD_LARGE : 0) : physical((void *)table) | (has(DIR_BAD) ? BAD : 0);
    pml4[2] = physical(pdpt) | PTE_P | PTE_W | PTE_U;
    pdpt[0] = physical(directory) | PTE_P | PTE_U | (has(TOP_W) ? PTE_W : 0);
    directory[0] = base | rights(DIR_P, DIR_W, DIR_U, DIR_NX);
    table[0] = frame | rights(LEAF_P, LEAF_W, LEAF_U, LEAF_NX) | (has(LEAF_BAD) ? BAD : 0);
}

static void set_cpu(void) {
    static u32 now = ~0u;
    u32 want = flags & (1u << WP | 1u << NXE | 1u << SMEP_BIT);
    if (want != now) {
        write_cr0(has(WP) ? read_cr0() | CR0_WP : read_cr0() & ~(u64)CR0_WP);
        write_cr4(has(SMEP_BIT) ? read_cr4() | CR4_SMEP : read_cr4() & ~(u64)CR4_SMEP);
        wrmsr(MSR_EFER, has(NXE) ? rdmsr(MSR_EFER) | EFER_NXE : rdmsr(MSR_EFER) & ~(u64)EFER_NXE);
        now = want;
    }
    write_cr3(read_cr3());
}

// The error code that the manual wants; 0 if the access is fine.
static u32 expected(void) {
    u32 who = (has(WRITE) ? ERROR_W : 0) | (has(USER_BIT) ? ERROR_U : 0) |
              (has(FETCH) && (has(NXE) || has(SMEP_BIT)) ? ERROR_FETCH : 0);
    bool large = has(DIR_PS), refused;
    if (!has(DIR_P) || (!large && has(DIR_P) && !has(DIR_BAD) && !(has(DIR_NX) && !has(NXE)) && !has(LEAF_P)))
        return who | 0x100;
    if (has(DIR_BAD) || (!large && has(LEAF_BAD)) || (!has(NXE) && (has(DIR_NX) || (!large && has(LEAF_NX)))))
        return who | ERROR_P | ERROR_RESERVED | 0x100;
    bool user = has(DIR_U) && (large || has(LEAF_U)), writable = has(TOP_W) && has(DIR_W) && (large || has(LEAF_W));
    bool never = has(DIR_NX) || (!large && has(LEAF_NX));
    if (has(USER_BIT))
        refused = !user || (has(WRITE) && !writable);
    else
        refused = (has(WRITE) && !writable && has(WP)) || (has(FETCH) && user && has(SMEP_BIT));
    return refused || (has(FETCH) && never) ? who | ERROR_P | 0x100 : 0;
}

static bool as_expected(struct outcome o) {
    u32 error = expected();
    volatile u64 *leaf = has(DIR_PS) ? (volatile u64 *)&directory[0] : &table[0];
    if (error)
        return o.vector == PF && o.error == (error & 0xff) && o.address == HERE && !(*leaf & D);
    return o.vector < 0 && *leaf & A && !(*leaf & D) == !has(WRITE) && ((volatile u64 *)directory)[0] & A;
}

// Combinations that say nothing new: a fetch that writes, rights of a table that there is not.
static bool idle(void) {
    u32 leaf = 1u << LEAF_P | 1u << LEAF_W | 1u << LEAF_U | 1u << LEAF_NX | 1u << LEAF_BAD;
    return (has(FETCH) && has(WRITE)) || (has(DIR_PS) && flags & leaf) || (has(DIR_BAD) && has(LEAF_BAD));
}

// The kernel's own tables without NX, which is a reserved bit while EFER.NXE is off.
static void allow_execution(u64 at, u32 level) {
    volatile u64 *entries = direct(at & 0xfffffff000);
    for (u32 i = 0; i < 512; i++) {
        if (!(entries[i] & PTE_P))
            continue;
        if (level > 1 && !(entries[i] & PTE_PS))
            allow_execution(entries[i], level - 1);
        entries[i] &= ~PTE_NX;
    }
}

int main(void) {
    u64 frame = (physical(table) + 0x3fffff) & ~0x1ffffful;
    *(volatile u8 *)direct(frame) = 0xc3;
    allow_execution(read_cr3(), 4);
    u32 tried = 0;
    for (flags = 0; flags < 1u << BITS; flags++) {
        if (idle())
            continue;
        map(frame);
        set_cpu();
        struct outcome o = act();
        tried++;
        if (!as_expected(o)) {
            print("%#x: vector %d, error %#lx, address %#lx; expected %#x; entries %#lx, %#lx\n", flags, o.vector, o.error,
                  o.address, expected(), directory[0], table[0]);
            return 1;
        }
    }
    print("%u walks end as they should\n", tried);
    return 0;
}
