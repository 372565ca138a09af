// What compiled C does all day, `rounds` times: a table-driven CRC, an insertion sort, a matrix product, words
// counted in a hash table with chains. Claims that every round computes the same. Runs on a PC as well.
#include "../lib/check.h"

#define NUMBERS 64
#define SIDE    12
#define WORDS   128
#define BUCKETS 64

static u32 crc_table[256];
static u8 text[2048];
static i64 numbers[NUMBERS];
static u32 left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];
static struct word { struct word *next; char name[12]; u32 count; } words[WORDS], *buckets[BUCKETS];

static u32 draw(u32 *state) { return *state = *state * 1664525 + 1013904223; }

static void crc_init(void) {
    for (u32 i = 0; i < 256; i++) {
        u32 value = i;
        for (u32 bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        crc_table[i] = value;
    }
}

// noinline: as if each lived in a file of its own.
#define FAR static __attribute__((noinline))

FAR u32 crc(const u8 *data, u64 size) {
    u32 value = ~0u;
    while (size--)
        value = crc_table[(value ^ *data++) & 255] ^ value >> 8;
    return ~value;
}

FAR void sort(i64 *array, u64 size) {
    for (u64 i = 1; i < size; i++) {
        i64 key = array[i];
        u64 j = i;
        for (; j && array[j - 1] > key; j--)
            array[j] = array[j - 1];
        array[j] = key;
    }
}

FAR void multiply(void) {
    for (u32 i = 0; i < SIDE; i++)
        for (u32 j = 0; j < SIDE; j++) {
            u32 sum = 0;
            for (u32 k = 0; k < SIDE; k++)
                sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
}

FAR u32 hash(const char *name) {
    u32 value = 2166136261;
    while (*name)
        value = (value ^ (u8)*name++) * 16777619;
    return value;
}

FAR struct word *look_up(const char *name) {
    struct word *word = buckets[hash(name) % BUCKETS];
    while (word && !same(word->name, name))
        word = word->next;
    return word;
}

FAR void spell(char *name, u32 number) {
    u32 i = 0;
    for (; number; number /= 10)
        name[i++] = 'a' + number % 10;
    name[i] = 0;
}

static void words_init(void) {
    for (u32 i = 0; i < WORDS; i++) {
        spell(words[i].name, 1000 + i * 37);
        struct word **bucket = &buckets[hash(words[i].name) % BUCKETS];
        words[i].next = *bucket;
        *bucket = &words[i];
    }
}

FAR u32 count_words(void) {
    u32 found = 0;
    char name[12];
    for (u32 i = 0; i < WORDS; i++) {
        spell(name, 1000 + i * 53);
        struct word *word = look_up(name);
        if (word)
            word->count++, found++;
    }
    return found;
}

FAR u32 round(void) {
    u32 state = 1;
    for (u32 i = 0; i < sizeof text; i++)
        text[i] = draw(&state) >> 24;
    for (u32 i = 0; i < NUMBERS; i++)
        numbers[i] = draw(&state) >> 8;
    for (u32 i = 0; i < SIDE * SIDE; i++) {
        left[0][i] = draw(&state);
        right[0][i] = draw(&state);
    }
    sort(numbers, NUMBERS);
    multiply();
    u32 result = crc(text, sizeof text) ^ crc((u8 *)numbers, sizeof numbers) ^ crc((u8 *)product, sizeof product);
    return result + count_words();
}

int main(void) {
    u64 rounds = option_number("rounds", 10);
    crc_init();
    words_init();
    u32 expected = round();
    print("go\n");
    for (u64 i = 0; i < rounds; i++)
        CHECK(round() == expected);
    return 0;
}
