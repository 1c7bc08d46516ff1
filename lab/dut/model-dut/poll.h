/* The polling core: forwards from start to stop, and stands still while the control thread reads or writes. */
#ifndef POLL_H
#define POLL_H

#include <stdbool.h>

/* Let frames be forwarded, or leave them where they are. */
void poll_run(bool run);

/* Let it stand still between two turns, for what only one may touch at a time. */
void poll_pause(void);
void poll_resume(void);

/* Begin anew: time, numbers and counts at zero. Only while it stands still. */
void poll_begin(void);

/* Lose all that arrives from now on for so long. Only while it stands still. */
void poll_die(double seconds);

/* The loop of its lcore, until poll_end. */
int poll_main(void *unused);
void poll_end(void);

#endif
