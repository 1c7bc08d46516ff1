/* The freestanding part of <string.h> that is used here. */
#ifndef PIX_STRING_H
#define PIX_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
int strcmp(const char *a, const char *b);

/* Small constant sizes become plain moves. */
#define memcpy __builtin_memcpy
#define memset __builtin_memset

#endif
