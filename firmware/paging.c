// Page tables for a kernel that is entered in long mode: the first 4 GiB where they are, in pages of 2 MiB.
// SDM vol. 3A, 4.5.4.
#include "firmware.h"

enum { PRESENT = 1 << 0, WRITABLE = 1 << 1, LARGE = 1 << 7, GIB = 4, ENTRIES = 512 };

uint32_t paging_write(struct boot *boot) {
    uint64_t *pml4 = area_take(boot, PAGE, PAGE), *pdpt = area_take(boot, PAGE, PAGE);
    uint64_t *directory = area_take(boot, GIB * PAGE, PAGE);
    for (uint32_t i = 0; i < GIB * ENTRIES; i++)
        directory[i] = ((uint64_t)i << 21) | PRESENT | WRITABLE | LARGE;
    for (uint32_t i = 0; i < GIB; i++)
        pdpt[i] = (uint32_t)(directory + i * ENTRIES) | PRESENT | WRITABLE;
    pml4[0] = (uint32_t)pdpt | PRESENT | WRITABLE;
    return (uint32_t)pml4;
}
