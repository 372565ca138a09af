// What the firmware has to say: progress codes at port 80h, and words at the debug console, port E9h. It
// speaks only when something is wrong.
#include "firmware.h"

void post(enum post code) { out8(PORT_POST, code); }

static void put(char c) { out8(PORT_DEBUG_CONSOLE, c); }

static void put_text(const char *text) {
    while (*text)
        put(*text++);
}

static void put_number(uint32_t value, uint32_t base) {
    char digits[10];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
    } while (value /= base);
    while (n)
        put(digits[--n]);
}

static void put_argument(char kind, va_list *arguments) {
    switch (kind) {
    case 's': put_text(va_arg(*arguments, const char *)); break;
    case 'u': put_number(va_arg(*arguments, uint32_t), 10); break;
    case 'x': put_text("0x"); put_number(va_arg(*arguments, uint32_t), 16); break;
    }
}

// Knows %s, %u and %x (with its 0x).
static void print_list(const char *format, va_list *arguments) {
    for (; *format; format++) {
        if (*format == '%')
            put_argument(*++format, arguments);
        else
            put(*format);
    }
}

static void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_list(format, &arguments);
    va_end(arguments);
}

void stop(enum post code, const char *format, ...) {
    va_list arguments;
    post(code);
    print("firmware: APIC ID %x stopped: ", lapic_id());
    va_start(arguments, format);
    print_list(format, &arguments);
    va_end(arguments);
    put('\n');
    halt();
}
