#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_ethdev.h>

#include "clock.h"
#include "device.h"
#include "port.h"

static struct {
	atomic_uint_fast64_t downs, first_down;
	uint32_t interface; /* index of the kernel's, 0: none */
	uint32_t losses;    /* of its carrier, as the kernel counts them */
	atomic_bool interface_down;
} links[MAX_PORTS];

static int netlink = -1;

void link_went_down(uint32_t port)
{
	if (atomic_fetch_add(&links[port].downs, 1) == 0)
		atomic_store(&links[port].first_down, clock_ticks());
}

struct link_log link_log(uint32_t port)
{
	return (struct link_log){atomic_load(&links[port].downs), atomic_load(&links[port].first_down)};
}

bool link_interface_up(uint32_t port) { return !atomic_load(&links[port].interface_down); }

void link_begin_trial(void)
{
	for (uint32_t i = 0; i < port_count; i++) {
		atomic_store(&links[i].first_down, 0);
		atomic_store(&links[i].downs, device_link_up(&ports[i]) ? 0 : 1);
	}
}

static int changed(uint16_t device, enum rte_eth_event_type event, void *argument, void *result)
{
	const struct port *port = argument;
	(void)device, (void)event, (void)result;
	if (!device_link_up(port))
		link_went_down(port->index);
	return 0;
}

/* How often the kernel has seen the carrier go, by a message about an interface; 0 where it does not tell. */
static uint32_t carrier_losses(const struct nlmsghdr *header)
{
	int left = (int)IFLA_PAYLOAD(header);
	uint32_t losses = 0;
	for (const struct rtattr *part = IFLA_RTA(NLMSG_DATA(header)); RTA_OK(part, left); part = RTA_NEXT(part, left))
		if (part->rta_type == IFLA_CARRIER_DOWN_COUNT)
			memcpy(&losses, RTA_DATA(part), sizeof(losses));
	return losses;
}

static void note_interface(const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	bool up = header->nlmsg_type == RTM_NEWLINK && (info->ifi_flags & IFF_UP) != 0 &&
		  (info->ifi_flags & IFF_RUNNING) != 0;
	uint32_t losses = carrier_losses(header);
	for (uint32_t i = 0; i < port_count; i++) {
		if (links[i].interface == 0 || links[i].interface != (uint32_t)info->ifi_index)
			continue;
		bool was_up = !atomic_exchange(&links[i].interface_down, !up);
		if (was_up && (!up || losses != links[i].losses))
			link_went_down(i);
		links[i].losses = losses;
	}
}

void link_read(void)
{
	static _Alignas(struct nlmsghdr) char messages[32768];
	ssize_t length;
	while ((length = recv(netlink, messages, sizeof(messages), 0)) > 0 || (length < 0 && errno == EINTR)) {
		if (length < 0)
			continue;
		const struct nlmsghdr *header = (const void *)messages;
		for (int left = (int)length; NLMSG_OK(header, (uint32_t)left); header = NLMSG_NEXT(header, left))
			if (header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == RTM_DELLINK)
				note_interface(header);
	}
	if (length < 0 && errno == ENOBUFS) /* messages were lost: nobody knows what they told */
		for (uint32_t i = 0; i < port_count; i++)
			if (links[i].interface != 0)
				link_went_down(i);
}

int link_fd(void) { return netlink; }

/* Have the kernel tell of changes, and of all interfaces as they are now. */
static bool watch_interfaces(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	};
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink < 0 || bind(netlink, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    send(netlink, &request, sizeof(request), 0) != sizeof(request))
		return false;
	link_read();
	return true;
}

bool link_setup(void)
{
	bool interfaces = false;
	for (uint32_t i = 0; i < port_count; i++) {
		struct rte_eth_dev_info info = {0};
		if (ports[i].backend != NULL || rte_eth_dev_info_get(ports[i].device, &info) != 0)
			continue;
		links[i].interface = info.if_index;
		interfaces |= info.if_index != 0;
		if (rte_eth_dev_callback_register(ports[i].device, RTE_ETH_EVENT_INTR_LSC, changed, &ports[i]) != 0)
			return false;
	}
	return !interfaces || watch_interfaces();
}
