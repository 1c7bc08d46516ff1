/* The transmitting half of a port: frames that are due go from the streams into batches, and from there to the device.
 *
 * All of this runs in the poll thread that the port belongs to.
 */
#ifndef VTREX_TRANSMIT_H
#define VTREX_TRANSMIT_H

#include "port.h"

/* Put a profile's streams on their schedules from tick `begin` on, for a duration in ticks (below 0: until stopped). The
 * lanes have room for them.
 */
void transmit_begin(struct port *port, struct profile *profile, uint64_t begin, double duration);

/* Send what is due at tick `now`. Returns true when the last stream of a profile has just ended. */
bool transmit_due(struct port *port, uint64_t now);

/* End a profile with the frames that are due by now. */
void transmit_stop(struct port *port, struct profile *profile, uint64_t now);

/* Read the schedules anew after rates have changed. */
void transmit_renew(struct port *port);

/* What became of the frames of a profile since its start; any thread, exact when it has ended. */
struct tally transmit_tally(const struct profile *profile, uint64_t now);
void tally_add(struct tally *sum, struct tally more);

#endif
