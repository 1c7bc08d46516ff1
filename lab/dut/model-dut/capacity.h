/* The server that all frames pass: so many a second, behind a queue of a fixed depth, and beyond that tail drop.
 *
 * Time is in ticks of the TSC since the begin, as a double.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdbool.h>

/* Begin at time 0 with an empty queue. */
void capacity_begin(double ticks_per_second);

/* Let a frame in that arrives `at` (never before the last one). Returns false when the queue is full; else *served is
 * the time at which the server has done with it.
 */
bool capacity_admit(double at, double *served);

#endif
