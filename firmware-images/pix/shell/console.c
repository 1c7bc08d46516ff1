#include "console.h"

#include <stdbool.h>

#include "format.h"
#include "system_call.h"
#include "uart.h"

#define BACKSPACE 8
#define DELETE 127

void print(const char *text, ...)
{
    char formatted[512], out[1024];
    size_t used = 0;
    va_list arguments;
    va_start(arguments, text);
    format(formatted, sizeof(formatted), text, arguments);
    va_end(arguments);
    for (const char *c = formatted; *c; c++) {
        if (*c == '\n')
            out[used++] = '\r';
        out[used++] = *c;
    }
    uart_write(out, used);
}

static char read_character(void)
{
    while (!(port_read8(UART_LSR) & UART_LSR_DR))
        wait_for_interrupt();
    return (char)port_read8(UART_RBR);
}

void read_line(char *line, size_t size)
{
    static bool after_return;
    size_t used = 0;
    for (;;) {
        char c = read_character();
        bool is_second_half = c == '\n' && after_return;
        after_return = c == '\r';
        if (is_second_half)
            continue;
        if (c == '\r' || c == '\n') {
            uart_write("\r\n", 2);
            line[used] = 0;
            return;
        }
        if (c == BACKSPACE || c == DELETE) {
            if (used) {
                used--;
                uart_write("\b \b", 3);
            }
        } else if (c >= ' ' && used + 1 < size) {
            line[used++] = c;
            uart_write(&c, 1);
        }
    }
}
