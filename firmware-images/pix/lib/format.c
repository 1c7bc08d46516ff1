#include "format.h"

#include <stdint.h>

struct output {
    char *to;
    size_t size, used;
};

static void put(struct output *out, char c)
{
    if (out->used + 1 < out->size)
        out->to[out->used++] = c;
}

static void put_number(struct output *out, uint64_t value, unsigned base, unsigned width, char padding)
{
    char digits[24];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (width > count) {
        put(out, padding);
        width--;
    }
    while (count)
        put(out, digits[--count]);
}

static void put_string(struct output *out, const char *text, unsigned width)
{
    unsigned length = 0;
    for (; *text; text++, length++)
        put(out, *text);
    for (; length < width; length++)
        put(out, ' ');
}

size_t format(char *to, size_t size, const char *text, va_list arguments)
{
    struct output out = {to, size, 0};
    for (; *text; text++) {
        if (*text != '%') {
            put(&out, *text);
            continue;
        }
        char padding = ' ';
        unsigned width = 0;
        int is_long = 0;
        if (*++text == '0')
            padding = *text++;
        while (*text >= '0' && *text <= '9')
            width = width * 10 + (unsigned)(*text++ - '0');
        if (*text == 'l') {
            is_long = 1;
            text++;
        }
        switch (*text) {
        case 's':
            put_string(&out, va_arg(arguments, const char *), width);
            break;
        case 'c':
            put(&out, (char)va_arg(arguments, int));
            break;
        case 'u':
        case 'x':
            put_number(&out, is_long ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned),
                       *text == 'u' ? 10 : 16, width, padding);
            break;
        default:
            put(&out, *text);
        }
    }
    out.to[out.used] = 0;
    return out.used;
}
