// Segments outside 64-bit mode: no access beyond a limit, by a null selector, or of a kind that the type does not allow;
// and no fetch beyond the limit of CS. SDM vol. 3A, 6.3 and 6.5.
#include "bare.h"

enum { SHORT = 0x18, READ_ONLY = 0x20, DOWN = 0x28, CODE = 0x30, SECRET = 0x38, SMALL_CODE = 0x40, SLOTS = 9 };
enum { DATA_RW = 0x93, DATA_R = 0x91, DATA_DOWN = 0x97, CODE_X = 0x99, CODE_XR = 0x9b, BIG = 4 << 12, LIMIT = 0xfff };

u8 bytes[8192] __attribute__((aligned(4096)));
static u64 gdt[SLOTS];

#define ACT(name, selector, code) static void name(void) { asm volatile("mov %0, %%fs;" code :: "r"(selector) : "eax", "memory"); }
ACT(read_last, SHORT, "movl %%fs:0xffc, %%eax")
ACT(read_across, SHORT, "movl %%fs:0xffd, %%eax")
ACT(read_behind, SHORT, "movb %%fs:0x1000, %%al")
ACT(write_behind, SHORT, "movb %%al, %%fs:0x1000")
ACT(push_far, SHORT, "pushl %%fs:0xffe; pop %%eax")
ACT(read_null, 0, "movb %%fs:0, %%al")
ACT(read_read_only, READ_ONLY, "movb %%fs:0, %%al")
ACT(write_read_only, READ_ONLY, "movb %%al, %%fs:0")
ACT(read_above, DOWN, "movb %%fs:0x1000, %%al")
ACT(read_below, DOWN, "movb %%fs:0xfff, %%al")
ACT(read_code, CODE, "movb %%fs:0, %%al")
ACT(write_code, CODE, "movb %%al, %%fs:0")
static void load_secret(void) { asm volatile("mov %0, %%fs" :: "r"(SECRET)); }
static void read_secret(void) { asm volatile("ljmp $0x38, $1f; 1: movb %%cs:0, %%al; ljmp $8, $2f; 2:" ::: "eax"); }
static void stack_behind(void) { asm volatile("mov %0, %%ss; movl 0xffe(%%ebp), %%eax" :: "r"(SHORT), "b"(0) : "eax"); }
static void stack_above(void) {
    asm volatile("mov %%esp, %%edx; mov %0, %%ss; mov $0x1008, %%esp; pop %%eax" :: "r"(SHORT) : "eax", "edx");
}
static void run_off(void) { asm volatile("ljmp $0x40, $0xfff"); }
static void jump_far(void) { asm volatile("ljmp $0x40, $0x1000"); }
static void call_far(void) { asm volatile("ljmp $0x40, $0"); }

__attribute__((used)) int main(void) {
    load_tables(gdt, sizeof gdt);
    gdt[SHORT / 8] = segment((u32)bytes, LIMIT, DATA_RW | BIG);
    gdt[READ_ONLY / 8] = segment((u32)bytes, LIMIT, DATA_R | BIG);
    gdt[DOWN / 8] = segment((u32)bytes, LIMIT, DATA_DOWN | BIG);
    gdt[CODE / 8] = segment((u32)bytes, LIMIT, CODE_XR | BIG);
    gdt[SECRET / 8] = segment(0, 0xfffff, CODE_X | BIG | 8 << 12);
    gdt[SMALL_CODE / 8] = segment((u32)bytes, LIMIT, CODE_XR | BIG);
    bytes[0] = bytes[LIMIT + 1] = 0x0f, bytes[1] = bytes[LIMIT + 2] = 0x0b, bytes[LIMIT] = 0x90;
    CHECK(attempt(load_secret) == (SECRET << 8 | GP));
    CHECK(attempt(jump_far) == GP);
    CHECK(attempt(read_last) == ~0u && attempt(read_read_only) == ~0u && attempt(read_above) == ~0u && attempt(read_code) == ~0u);
    CHECK(attempt(call_far) == UD);
    CHECK(attempt(read_across) == GP);
    CHECK(attempt(read_behind) == GP && attempt(write_behind) == GP && attempt(push_far) == GP);
    CHECK(attempt(read_null) == GP);
    CHECK(attempt(write_read_only) == GP && attempt(write_code) == GP);
    CHECK(attempt(read_below) == GP);
    CHECK(attempt(read_secret) == GP);
    CHECK(attempt(stack_behind) == SS && attempt(stack_above) == SS);
    CHECK(attempt(run_off) == GP);
    say("segments end where they should\n");
    return 0;
}
