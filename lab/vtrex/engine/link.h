/* Links that go down: noted by whoever sees it first, so that a trial in which one was gone for a moment does not count.
 *
 * A vhost-user device and a NIC tell DPDK, in a thread of DPDK's. Of an interface of the kernel (net_af_packet, whose
 * driver takes it for always up) the kernel tells by netlink, which the control thread reads. Sockets are the poll
 * thread's (backend.h). Nobody asks in turns: that would wake a core up during a trial.
 */
#ifndef VTREX_LINK_H
#define VTREX_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct link_log {
	uint64_t downs;      /* in this trial */
	uint64_t first_down; /* tick, of no meaning without any; 0: it was down when the trial began */
};

/* Watch the links of all open ports. False when that cannot be. */
bool link_setup(void);

/* Descriptor that becomes readable when the kernel tells of interfaces, -1: none is watched; read what it tells. */
int link_fd(void);
void link_read(void);

/* Control thread: forget what was, begin a trial with the links that are there. */
void link_begin_trial(void);

/* Any thread. */
void link_went_down(uint32_t port);
struct link_log link_log(uint32_t port);

/* Whether the port's interface of the kernel, if it is one, is up and has a carrier. */
bool link_interface_up(uint32_t port);

#endif
