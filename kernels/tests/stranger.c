// A kernel as strangers write them: a flat file that is loaded at 1 MiB by the a.out fields of its Multiboot header,
// with a bss that the file does not hold, and with page tables of its own for the first 4 MiB only. It says what it
// finds (Multiboot 0.6.96, 3.2 and 3.3), and ends with the code on its command line.
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

enum { MAGIC = 0x1badb002, FLAGS = 0x00010007, LOADED = 0x2badb002, REACH = 4 << 20, COM1 = 0x3f8, DEBUG_EXIT = 0xf4 };

asm(".section .text.header, \"ax\"\n"
    ".globl entry\n"
    "header: .long 0x1badb002, 0x00010007, -(0x1badb002 + 0x00010007)\n"
    "        .long header, load_start, load_end, bss_end, entry\n"
    "        .long 0, 1024, 768, 32\n"                              // a wish for a video mode
    "entry:  mov $stack + 8192, %esp\n"
    "        pushf\n"
    "        push %ebx\n"
    "        push %eax\n"
    "        call start\n");

u8 stack[8192] __attribute__((aligned(16)));                        // in bss
u32 directory[1024] __attribute__((aligned(4096)));
static u32 failures;

struct module { u32 start, end; const char *text; u32 reserved; };
struct memory { u32 size; u64 base, length; u32 type; } __attribute__((packed));
struct info {
    u32 flags, mem_lower, mem_upper, boot_device;
    const char *cmdline;
    u32 mods_count;
    const struct module *mods;
    u32 syms[4], mmap_length, mmap_addr, drives_length, drives_addr, config_table;
    const char *loader;
    u32 apm_table;
};

static void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static void put(char c) { out8(COM1, c); }

static void say(const char *text) {
    while (*text)
        put(*text++);
}

static void say_hex(u64 value) {
    say(" 0x");
    int shift = 60;
    while (shift && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void need(int fine, const char *what) {
    if (fine)
        return;
    say("not so: ");
    say(what);
    put('\n');
    failures++;
}

static u32 cr0(void) { u32 value; asm volatile("mov %%cr0, %0" : "=r"(value)); return value; }

static void check_state(u32 eax, u32 eflags) {
    u16 cs, ds, ss;
    asm volatile("mov %%cs, %0; mov %%ds, %1; mov %%ss, %2" : "=r"(cs), "=r"(ds), "=r"(ss));
    u32 code, data;
    asm volatile("lsl %1, %0" : "=r"(code) : "r"((u32)cs));
    asm volatile("lsl %1, %0" : "=r"(data) : "r"((u32)ds));
    need(eax == LOADED, "EAX is the loader's magic number");
    need((cr0() & 0x80000001) == 1, "protected mode, no paging");
    need(!(eflags & (1 << 17 | 1 << 9)), "VM and IF are clear");
    need(code == 0xffffffff && data == 0xffffffff, "flat segments");
    volatile u32 *high = &failures, *low = (u32 *)((u32)&failures ^ REACH / 4);
    *low = 0x55aa55aa;
    need(*high == 0, "A20 is open");
    need(directory[0] == 0 && directory[1023] == 0, "the bss is zero");
}

// The first 4 MiB, where they are: what is not there, this kernel cannot see.
static void map(void) {
    directory[0] = 0x83;
    asm volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4; mov %0, %%cr3;"
                 "mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0" :: "r"(directory) : "eax", "memory");
}

static void say_memory(const struct info *info) {
    say("memory");
    say_hex(info->mem_lower);
    say_hex(info->mem_upper);
    put('\n');
    for (u32 at = info->mmap_addr; at < info->mmap_addr + info->mmap_length;) {
        const struct memory *range = (const struct memory *)at;
        say("range");
        say_hex(range->base);
        say_hex(range->length);
        say_hex(range->type);
        put('\n');
        at += range->size + 4;
    }
}

static void say_modules(const struct info *info) {
    for (u32 i = 0; i < info->mods_count; i++) {
        const struct module *module = &info->mods[i];
        need(module->start % 4096 == 0 && module->end <= REACH, "the module is aligned, and within reach");
        say("module \"");
        say(module->text);
        say("\" ");
        for (u32 at = module->start; at < module->end; at++)
            put(*(const char *)at);
        put('\n');
    }
}

// ACPI 6.4, 5.2.5.1: on a 16-byte boundary between E0000h and FFFFFh.
static void say_acpi(void) {
    for (u32 at = 0xe0000; at < 0x100000; at += 16)
        if (((u32 *)at)[0] == 0x20445352 && ((u32 *)at)[1] == 0x20525450) {
            u8 sum = 0;
            for (u32 i = 0; i < 20; i++)
                sum += ((u8 *)at)[i];
            need(sum == 0, "the RSDP adds up to 0");
            say("ACPI\n");
        }
}

static u32 exit_code(const char *cmdline) {
    while (*cmdline && *cmdline != '=')
        cmdline++;
    u32 code = 0;
    while (*cmdline && *++cmdline)
        code = code * 10 + *cmdline - '0';
    return code;
}

__attribute__((used)) _Noreturn void start(u32 eax, const struct info *info, u32 eflags) {
    check_state(eax, eflags);
    map();
    need((info->flags & 0x24d) == 0x24d, "memory, command line, modules, map and loader's name are there");
    need(!(info->flags & 0x1800), "no video mode was set");
    say(info->loader);
    say(": ");
    say(info->cmdline);
    put('\n');
    say_memory(info);
    say_modules(info);
    say_acpi();
    say("no newline at the end");
    u32 code = failures ? 99 : exit_code(info->cmdline);
    asm volatile("outl %0, %w1" ::"a"(code), "d"(DEBUG_EXIT));
    for (;;)
        asm volatile("cli; hlt");
}
