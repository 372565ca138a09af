// What keeper and client tell each other, in the window "service": one request at a time.
#pragma once
#include "../lib/check.h"
#include "../devices/vtd.h"

#define SOURCE    0x08                          // 00:01.0 of the client's segment
#define PAGE_SIZE 4096
#define SLOTS     16                            // pages that the device sees, from 0 on

enum { NOTHING, MAP, UNMAP, GONE };             // requests
enum { REFUSED, DONE };

struct service { u32 request, slot, rights, answer, faults, ready; u64 page; };

static inline struct service *service_window(void) {
    struct window w = window("service");
    CHECK(w.base && w.size >= sizeof(struct service));
    return (struct service *)w.base;
}
