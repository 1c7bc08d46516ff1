/* The 16550 UART on COM1, 115200 8N1: registers and polled output for both rings. */
#ifndef PIX_UART_H
#define PIX_UART_H

#include <stddef.h>
#include "io.h"

#define UART_BASE 0x3f8
#define UART_RBR (UART_BASE + 0) /* receiver buffer; transmitter holding; divisor low */
#define UART_IER (UART_BASE + 1) /* interrupt enable; divisor high */
#define UART_FCR (UART_BASE + 2) /* FIFO control */
#define UART_LCR (UART_BASE + 3) /* line control */
#define UART_MCR (UART_BASE + 4) /* modem control */
#define UART_LSR (UART_BASE + 5) /* line status */
#define UART_LSR_DR 0x01         /* data ready */
#define UART_LSR_THRE 0x20       /* transmitter FIFO empty */
#define UART_FIFO_SIZE 16
#define UART_IRQ 4

/* Sets the line up with an interrupt for each received character. */
static inline void uart_init(void)
{
    port_write8(UART_IER, 0);
    port_write8(UART_LCR, 0x80); /* divisor latch access */
    port_write8(UART_RBR, 1);    /* 115200 */
    port_write8(UART_IER, 0);
    port_write8(UART_LCR, 0x03); /* 8N1 */
    port_write8(UART_FCR, 0x07); /* FIFOs on and cleared, interrupt at one character */
    port_write8(UART_MCR, 0x0b); /* DTR, RTS, OUT2: lets the interrupt out */
    port_write8(UART_IER, 0x01); /* received data available */
}

/* Writes a FIFO's worth at a time: one look at the status for 16 characters, and one string instruction to send them. */
static inline void uart_write(const char *text, size_t size)
{
    while (size) {
        while (!(port_read8(UART_LSR) & UART_LSR_THRE))
            cpu_relax();
        size_t part = size < UART_FIFO_SIZE ? size : UART_FIFO_SIZE;
        size -= part;
        __asm__ volatile("rep outsb" : "+S"(text), "+c"(part) : "d"(UART_RBR) : "memory");
    }
}

#endif
