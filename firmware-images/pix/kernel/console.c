#include "console.h"

#include "format.h"
#include "uart.h"

void console_print(const char *text, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, text);
    size_t length = format(line, sizeof(line), text, arguments);
    va_end(arguments);
    uart_write(line, length);
}
