/* The kernel's own output on COM1; polled, used at boot and for faults. */
#ifndef PIX_CONSOLE_H
#define PIX_CONSOLE_H

void console_print(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif
