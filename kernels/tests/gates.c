// What INT does at a gate that is absent, of no known type, or not for ring 3. SDM vol. 3A, 7.12.1, 7.13.
#include "user.h"

#define VECTOR      0x40
#define ERROR_IDT(vector) ((vector) * 8 + 2)    // index, IDT bit

static u64 call_gate(u64 a, u64 b) { asm volatile("int $0x40"); return 0; }

extern u8 calls_gate[];
asm("calls_gate: int $0x40");

static bool faults(struct outcome o, int vector) { return o.vector == vector && o.error == ERROR_IDT(VECTOR); }

int main(void) {
    CHECK(faults(user_probe(calls_gate), GP));                  // DPL 0
    idt[VECTOR].type = 0x0e;                                    // an interrupt gate, not present
    CHECK(faults(probe(call_gate, 0, 0), NP));
    idt[VECTOR].type = 0x80;                                    // present, but no gate
    CHECK(faults(probe(call_gate, 0, 0), GP));
    print("gates refuse with the gate's number\n");
    return 0;
}
