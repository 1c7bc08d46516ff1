/* The serial console in ring 3: lines in, text out. */
#ifndef PIX_SHELL_CONSOLE_H
#define PIX_SHELL_CONSOLE_H

#include <stddef.h>

/* Formats as lib/format.h says; "\n" goes out as CR LF. */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Reads a line with echo and backspace; CR, LF or CR LF ends it. Halts the core while nothing comes. */
void read_line(char *line, size_t size);

#endif
