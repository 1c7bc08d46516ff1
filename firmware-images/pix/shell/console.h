/* The serial console in ring 3: lines in, text out. */
#ifndef PIX_SHELL_CONSOLE_H
#define PIX_SHELL_CONSOLE_H

#include <stddef.h>

/* Formats as lib/format.h says; "\n" goes out as CR LF. */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* An IPv4 address in host byte order: the format, and its words. */
#define ADDRESS "%u.%u.%u.%u"
#define ADDRESS_WORDS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a) & 255

/* Reads a line with echo and backspace; CR, LF or CR LF ends it. Halts the core while nothing comes. */
void read_line(char *line, size_t size);

#endif
