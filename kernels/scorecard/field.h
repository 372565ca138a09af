// What the wards keep: pages of secrets, FIELD bytes above where a ward was loaded. Their first page is code, the
// second a page table.
#pragma once
#include "../lib/check.h"

#define FIELD       0x300000
#define FIELD_PAGES 64
#define PAGE_WORDS  (PAGE / 8)

enum { CODE_PAGE, TABLE_PAGE, FIRST_SECRET };

#define CODE_VALUE  0x666
#define CODE_WORD   0xc300000666b8              // mov $CODE_VALUE, %eax; ret

// What word i of a field at this address is. As a page table it leads to the first GiB of memory.
static inline u64 field_word(u64 field, u64 i) {
    switch (i / PAGE_WORDS) {
    case CODE_PAGE:  return CODE_WORD;
    case TABLE_PAGE: return PTE_P | PTE_W | PTE_PS;
    default:         return (field + i) * 0x9e3779b97f4a7c15;
    }
}
