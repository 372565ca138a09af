// The few functions that the compiler takes for granted.
#include "kernel.h"

void *memset(void *to, int byte, u64 size) {
    void *start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, u64 size) {
    void *start = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) :: "memory");
    return start;
}

void *memmove(void *to, const void *from, u64 size) {
    if (to <= from)
        return memcpy(to, from, size);
    while (size-- > 0)
        ((u8 *)to)[size] = ((const u8 *)from)[size];
    return to;
}

int memcmp(const void *a, const void *b, u64 size) {
    const u8 *x = a, *y = b;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

u64 strlen(const char *text) {
    u64 length = 0;
    while (text[length])
        length++;
    return length;
}

bool same(const char *a, const char *b) { return strlen(a) == strlen(b) && memcmp(a, b, strlen(a)) == 0; }
