// printf, as much of it as kernels need: %d %u %x %c %s %p %%, with l, #, 0 and a width.
#include "kernel.h"
#include "spinlock.h"

#define LINE 256

struct text { char *at, *end; };

static void put(struct text *text, char c) {
    if (text->at < text->end)
        *text->at++ = c;
}

// Digits of `number`, at least `width` characters wide.
static void put_number(struct text *text, u64 number, u32 base, const char *prefix, u32 width, char pad) {
    char digits[24];
    u32 count = 0, length = strlen(prefix);
    do
        digits[count++] = "0123456789abcdef"[number % base];
    while (number /= base);
    for (; pad == ' ' && width > count + length; width--)
        put(text, ' ');
    while (*prefix)
        put(text, *prefix++);
    for (; width > count + length; width--)
        put(text, '0');
    while (count)
        put(text, digits[--count]);
}

static void put_text(struct text *text, const char *string, u32 width) {
    for (; *string; string++, width -= width > 0)
        put(text, *string);
    while (width-- > 0)
        put(text, ' ');
}

struct spec { bool prefix, is_long; char pad, kind; u32 width; };

static const char *read_spec(const char *at, struct spec *spec) {
    *spec = (struct spec){ .pad = ' ' };
    for (;; at++) {
        if (*at == '#')
            spec->prefix = true;
        else if (*at == 'l')
            spec->is_long = true;
        else if (*at == '0' && !spec->width)
            spec->pad = '0';
        else if (*at >= '0' && *at <= '9')
            spec->width = spec->width * 10 + *at - '0';
        else
            break;
    }
    spec->kind = *at;
    return at;
}

static void put_spec(struct text *text, struct spec spec, __builtin_va_list *arguments) {
    if (spec.kind == 'c')
        return put(text, (char)__builtin_va_arg(*arguments, int));
    if (spec.kind == 's')
        return put_text(text, __builtin_va_arg(*arguments, const char *), spec.width);
    if (spec.kind == '%')
        return put(text, '%');
    bool wide = spec.is_long || spec.kind == 'p';
    u64 value = wide ? __builtin_va_arg(*arguments, u64) : __builtin_va_arg(*arguments, u32);
    if (spec.kind == 'd') {
        i64 number = wide ? (i64)value : (int)value;
        return put_number(text, number < 0 ? -(u64)number : number, 10, number < 0 ? "-" : "", spec.width, spec.pad);
    }
    bool hex = spec.kind == 'x' || spec.kind == 'p';
    put_number(text, value, hex ? 16 : 10, hex && (spec.prefix || spec.kind == 'p') ? "0x" : "", spec.width, spec.pad);
}

// Like vsnprintf, but returns what was written and adds no NUL.
int format_text(char *out, u32 size, const char *format, __builtin_va_list arguments) {
    struct text text = { out, out + size };
    __builtin_va_list list;
    __builtin_va_copy(list, arguments);
    for (; *format; format++) {
        struct spec spec;
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        format = read_spec(format + 1, &spec);
        put_spec(&text, spec, &list);
    }
    __builtin_va_end(list);
    return text.at - out;
}

static struct spinlock lock;

// One call is one piece on the console, whichever cores print.
void print(const char *format, ...) {
    char line[LINE];
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = format_text(line, sizeof line, format, arguments);
    __builtin_va_end(arguments);
    acquire(&lock);
    uart_write(line, length);
    release(&lock);
}
