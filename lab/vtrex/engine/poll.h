/* The polling threads: each receives and transmits on the ports of its worker; the first one also runs what the control
 * thread hands over.
 */
#ifndef VTREX_POLL_H
#define VTREX_POLL_H

#include <stdint.h>

/* Start the thread of every worker; `event_fd` is written to whenever a port has ended its traffic. */
void poll_start(int event_fd);

/* End them all and wait for it. */
void poll_stop(void);

/* Run `function(argument)` in the first polling thread between two steps, with all others standing still between two of
 * theirs, and wait for it. It may touch everything.
 */
void poll_run(void (*function)(void *argument), void *argument);

#endif
