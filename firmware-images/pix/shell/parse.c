#include "parse.h"

unsigned parse_words(char *line, char **words, unsigned max)
{
    unsigned count = 0;
    for (char *c = line; *c;) {
        while (*c == ' ')
            *c++ = 0;
        if (!*c || count == max)
            break;
        words[count++] = c;
        while (*c && *c != ' ')
            c++;
    }
    return count;
}

static bool take_number(const char **at, uint32_t max, uint32_t *value)
{
    uint32_t result = 0;
    const char *c = *at;
    if (*c < '0' || *c > '9')
        return false;
    for (; *c >= '0' && *c <= '9'; c++) {
        result = result * 10 + (uint32_t)(*c - '0');
        if (result > max || c - *at > 9)
            return false;
    }
    *at = c;
    *value = result;
    return true;
}

static bool take_address(const char **at, uint32_t *address)
{
    uint32_t result = 0, octet;
    for (unsigned i = 0; i < 4; i++) {
        if (i && *(*at)++ != '.')
            return false;
        if (!take_number(at, 255, &octet))
            return false;
        result = result << 8 | octet;
    }
    *address = result;
    return true;
}

bool parse_number(const char *word, uint32_t max, uint32_t *value)
{
    uint32_t result;
    if (!take_number(&word, max, &result) || *word)
        return false;
    *value = result;
    return true;
}

bool parse_address(const char *word, uint32_t *address)
{
    uint32_t result;
    if (!take_address(&word, &result) || *word)
        return false;
    *address = result;
    return true;
}

bool parse_prefix(const char *word, uint32_t *address, unsigned *length)
{
    uint32_t result, bits;
    if (!take_address(&word, &result) || *word++ != '/' || !take_number(&word, 32, &bits) || *word)
        return false;
    *address = result;
    *length = bits;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool parse_mac(const char *word, uint8_t mac[6])
{
    uint8_t result[6];
    for (unsigned i = 0; i < 6; i++, word += 3) {
        int high = hex_digit(word[0]), low = high < 0 ? -1 : hex_digit(word[1]);
        if (low < 0 || word[2] != (i < 5 ? ':' : 0))
            return false;
        result[i] = (uint8_t)(high << 4 | low);
    }
    for (unsigned i = 0; i < 6; i++)
        mac[i] = result[i];
    return true;
}
