// The area at hand, the kernel's tables or its parameters, handed out from its start to its end.
#include "firmware.h"

void area_begin(struct boot *boot, uint64_t base, uint64_t size) {
    boot->start = boot->next = (uint8_t *)(uint32_t)base;
    boot->end = boot->start + size;
}

void *area_take(struct boot *boot, uint32_t size, uint32_t align) {
    uint32_t at = ((uint32_t)boot->next + align - 1) & -align;
    if (at > (uint32_t)boot->end || size > (uint32_t)boot->end - at)
        stop(POST_NO_ROOM, "kernel %s: its tables do not fit in the %x bytes at %x",
             string_at(boot->kernel->name), (uint32_t)(boot->end - boot->start), (uint32_t)boot->start);
    boot->next = (uint8_t *)at + size;
    return memset((void *)at, 0, size);
}

uint32_t area_string(struct boot *boot, const char *text) {
    uint32_t size = strlen(text) + 1;
    return (uint32_t)memcpy(area_take(boot, size, 1), text, size);
}
