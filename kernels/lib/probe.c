// Attempts that may fail: an exception or a machine check during one is its outcome, not the kernel's end.
#include "kernel.h"

u64 probe_call(u64 (*attempt)(u64, u64), u64 a, u64 b, u64 *recover);

// Call attempt(a, b) and say how it went. Attempts do not nest.
struct outcome probe(u64 (*attempt)(u64, u64), u64 a, u64 b) {
    struct core *core = this_core();
    core->outcome = (struct outcome){ .vector = -1 };
    u64 value = probe_call(attempt, a, b, &core->recover);
    if (core->outcome.vector < 0)
        core->outcome.value = value;
    return core->outcome;
}

static u64 read_at(u64 address, u64 unused) { return *(volatile u64 *)address; }

static u64 write_at(u64 address, u64 value) { return *(volatile u64 *)address = value; }

static u64 call_at(u64 address, u64 unused) { return ((u64 (*)(void))address)(); }

struct outcome try_read(u64 physical_address) { return probe(read_at, DIRECT + physical_address, 0); }

struct outcome try_write(u64 physical_address, u64 value) {
    return probe(write_at, DIRECT + physical_address, value);
}

struct outcome try_execute(u64 physical_address) { return probe(call_at, IDENTITY + physical_address, 0); }
