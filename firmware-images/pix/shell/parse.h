/* A line to words, words to numbers. Those return false and change nothing when the whole word is not of its form. */
#ifndef PIX_PARSE_H
#define PIX_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Cuts a line at its spaces; returns how many words it has, of which at most max are told. */
unsigned parse_words(char *line, char **words, unsigned max);
bool parse_number(const char *word, uint32_t max, uint32_t *value);
bool parse_address(const char *word, uint32_t *address);                        /* A.B.C.D */
bool parse_prefix(const char *word, uint32_t *address, unsigned *length);       /* A.B.C.D/LEN */
bool parse_mac(const char *word, uint8_t mac[6]);                               /* 52:54:00:00:00:01 */

#endif
