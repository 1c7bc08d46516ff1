/* Text formatting: %s %c %u %x %lu %lx %%, with a field width and zero padding. Anything else stands as it is. */
#ifndef PIX_FORMAT_H
#define PIX_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size - 1 characters and a zero; returns how many characters were written. */
size_t format(char *to, size_t size, const char *text, va_list arguments);

#endif
