// The text screen: memory that holds what is written, registers that read back, retraces that come. Writes more
// lines than there are rows; moves them in memory first, then by the start address. The console shows them all.
#include "../lib/check.h"

enum { COLUMNS = 80, ROWS = 25, CRT_INDEX = 0x3d4, CRT_DATA = 0x3d5, STATUS = 0x3da };
enum { START_HIGH = 12, CURSOR_HIGH = 14 };
#define LIGHT_GREY 0x0700
#define RETRACE    0x08

static volatile u16 *cells;
static u32 start;                               // row of the memory that the screen begins with

static void crt_pair(u8 index, u16 value) {
    outw(CRT_INDEX, index | (value & 0xff00));
    outb(CRT_INDEX, index + 1);
    outb(CRT_DATA, value);
}

static u8 crt_read(u8 index) { outb(CRT_INDEX, index); return inb(CRT_DATA); }

static void write_row(u32 row, const char *text, ...) {
    char line[COLUMNS + 1];
    __builtin_va_list arguments;
    __builtin_va_start(arguments, text);
    int length = format_text(line, COLUMNS, text, arguments);
    __builtin_va_end(arguments);
    for (int x = 0; x < COLUMNS; x++)
        cells[(start + row) * COLUMNS + x] = LIGHT_GREY | (x < length ? line[x] : ' ');
}

static void move_up(void) {
    memmove((u16 *)cells, (u16 *)cells + COLUMNS, (ROWS - 1) * COLUMNS * 2);
    write_row(ROWS - 1, "");
}

int main(void) {
    cells = direct(0xb8000);
    CHECK(cells[0] == (LIGHT_GREY | ' ') && crt_read(1) == COLUMNS - 1 && inb(0x3cc) & 1);
    for (u32 line = 1; line <= 40; line++) {
        if (line > ROWS)
            move_up();
        write_row(line <= ROWS ? line - 1 : ROWS - 1, "line %u of the screen", line);
        delay_us(1500);
    }
    for (u32 line = 41; line <= 60; line++) {
        start++;
        write_row(ROWS - 1, "line %u, by the start address", line);
        crt_pair(START_HIGH, start * COLUMNS);
        delay_us(1500);
    }
    crt_pair(CURSOR_HIGH, 0x123);
    CHECK(crt_read(CURSOR_HIGH) == 1 && crt_read(CURSOR_HIGH + 1) == 0x23);
    u32 retraces = 0;
    for (u64 end = rdtsc() + tsc_hz / 10; rdtsc() < end; retraces++) {
        while (!(inb(STATUS) & RETRACE) && rdtsc() < end)
            ;                                   // a PAUSE may take longer than a retrace
        while (inb(STATUS) & RETRACE)
            ;
    }
    CHECK(retraces == 7 || retraces == 8);      // seventy a second
    for (u32 n = 0; n < 800; n++) {             // one that never comes to rest
        write_row(ROWS - 1, "counted to %u", n);
        delay_us(7000);
    }
    return 0;
}
