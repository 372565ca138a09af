// The runtime's table of contents: what has to be up before main(), in order.
#include "kernel.h"

// hvm_start_info, xen/include/public/arch-x86/hvm/start_info.h
struct start_info {
    u32 magic, version, flags, modules;
    u64 module_list, command_line, rsdp;
};

u64 load_offset;
const char *command_line = "";

void kernel_start(u64 offset, u64 info_address) {
    const struct start_info *info = direct(info_address);
    load_offset = offset;
    trap_init();                                // 256 gates
    core_init(0);                               // GDT, TSS, GS
    if (info->command_line)
        command_line = direct(info->command_line);
    acpi_init(info->rsdp);                      // own cores
    partition_init();                           // windows, doorbells, who we are
    uart_init();                                // from here on we can print
    lapic_init();                               // interrupts between cores
    exit_kernel(main());
}

// Physical address of a byte of the image or of a DIRECT address.
u64 physical(const volatile void *address) {
    u64 a = (u64)address;
    return a >= KERNBASE ? a - KERNBASE + load_offset : a - DIRECT;
}

// End this kernel, not the machine: isa-debug-exit, 32 bits wide at port 0xf4.
void exit_kernel(u32 code) {
    outl(0xf4, code);
    for (;;)
        asm volatile("cli; hlt");
}

// Where `name` stands on the command line as a word of its own, up to a space or '='; else NULL.
static const char *find_option(const char *name) {
    u64 length = strlen(name);
    for (const char *word = command_line; *word; ) {
        if (memcmp(word, name, length) == 0 && (word[length] == 0 || word[length] == ' ' || word[length] == '='))
            return word + length;
        while (*word && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    return NULL;
}

bool option(const char *name) { return find_option(name) != NULL; }

// The number after name=, in decimal or, with 0x, in hexadecimal.
u64 option_number(const char *name, u64 otherwise) {
    const char *text = find_option(name);
    if (!text || *text++ != '=')
        return otherwise;
    u64 base = 10, number = 0;
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    for (; *text && *text != ' '; text++)
        number = number * base + (*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
    return number;
}
