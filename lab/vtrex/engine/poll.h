/* The polling thread: receives and transmits on all ports, and runs what the control thread hands to it. */
#ifndef VTREX_POLL_H
#define VTREX_POLL_H

#include <stdint.h>

extern uint32_t poll_tid, poll_cpu; /* of the polling thread; the CPU is set before the thread id */

/* The thread's body; `event_fd` is written to whenever a port has ended its traffic. Returns after poll_stop(). */
int poll_main(void *event_fd);
void poll_stop(void);

/* Run `function(argument)` in the polling thread between two steps, and wait for it. */
void poll_run(void (*function)(void *argument), void *argument);

#endif
