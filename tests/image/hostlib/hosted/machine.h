/*
 * A machine that is a process of this host: the image's ring-3 programs as they are, over stand-ins for what is hardware
 * or kernel. Its QGMs take turns when they are told to (machine_turn), so that a run is the same each time, or each is a
 * thread that polls, as on real cores.
 */
#ifndef HOSTED_MACHINE_H
#define HOSTED_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_TSC_HZ 1000000000u /* while QGMs take turns */

/* Boots with this many exclusive cores and ports, and so many descriptors in each queue of a port. */
void machine_boot(uint32_t exclusive_cores, uint32_t ports, uint16_t queue_length, bool has_threads);

/* Gives it this route file, instead of the one that it had. The memory behind it is watched. */
void machine_take_route_file(const void *bytes, uint32_t size);

/* Runs a line of the shell; returns what it prints, until the next call. */
const char *machine_command(const char *line);

/* Lets the QGM of a core have one turn of its loop; nothing if none runs there. */
void machine_turn(uint32_t core);

/* Buffers of the QGMs that are in no pool, queue or waiting room, while the machine is at rest: 0, or there is a fault. */
int32_t machine_lost_buffers(void);

/* Lets time pass. */
void machine_advance(uint64_t cycles);

#endif
