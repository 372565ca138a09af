// Page table walks: accessed and dirty bits, INVLPG, reserved bits, and the U bit seen from ring 3.
#include "user.h"

static volatile u64 table[512] __attribute__((aligned(PAGE))), pages[2][512] __attribute__((aligned(PAGE)));
static u64 directory[512] __attribute__((aligned(PAGE))), pdpt[512] __attribute__((aligned(PAGE)));
static volatile u64 *const here = (u64 *)(2ull << 39);         // entry 2 of the top level

static u64 read(u64 a, u64 b) { return *(volatile u64 *)a; }

extern u8 reads_here[];
asm("reads_here: movq $0x10000000000, %rax; movq (%rax), %rax; hlt");

int main(void) {
    pml4[2] = physical(pdpt) | PTE_P | PTE_W | PTE_U;
    pdpt[0] = physical(directory) | PTE_P | PTE_W | PTE_U;
    directory[0] = physical(table) | PTE_P | PTE_W | PTE_U;
    table[0] = physical(pages[0]) | PTE_P | PTE_W | PTE_NX;
    pages[0][0] = 10, pages[1][0] = 11;
    CHECK(here[0] == 10 && (table[0] & 0x60) == 0x20);          // accessed, not dirty
    here[1] = 1;
    CHECK((table[0] & 0x60) == 0x60 && (pml4[2] & pdpt[0] & directory[0] & 0x20));
    table[0] = physical(pages[1]) | PTE_P | PTE_W | PTE_NX;
    invlpg((u64)here);
    CHECK(here[0] == 11);
    struct outcome o = user_probe(reads_here);
    CHECK(o.vector == PF && o.error == 5 && o.address == (u64)here);    // present, user
    table[0] |= 1ull << 51;                                     // beyond the physical address width
    invlpg((u64)here);
    o = probe(read, (u64)here, 0);
    CHECK(o.vector == PF && o.error == 9);                      // present, reserved bit
    print("walks set what they should\n");
    return 0;
}
