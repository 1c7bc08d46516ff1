#include "control.h"

#include <poll.h>
#include <stdlib.h>
#include <rte_common.h>

#include "clock.h"
#include "device.h"
#include "flow.h"
#include "link.h"
#include "port.h"
#include "worker.h"

static void control_hello(struct message *message)
{
	struct hello_reply reply = {
		.version = PROTOCOL_VERSION, .ports = port_count, .cores = worker_count,
		.tsc_hz = (uint64_t)(ticks_per_ns * 1e9),
		.arrivals_capacity = arrivals_total,
	};
	message_append(message, &reply, sizeof(reply));
	for (uint32_t i = 0; i < worker_count; i++) {
		struct hello_core core = {.core = workers[i].cpu, .tid = workers[i].tid};
		message_append(message, &core, sizeof(core));
	}
	for (uint32_t i = 0; i < port_count; i++) {
		char driver[DRIVER_NAME_SIZE] = "";
		device_driver(&ports[i], driver);
		message_append(message, driver, sizeof(driver));
	}
}

static void (*const answers[])(struct message *) = {
	[OP_HELLO] = control_hello,
	[OP_PORTS] = control_ports,
	[OP_START] = control_start,
	[OP_STOP] = control_stop,
	[OP_RATES] = control_rates,
	[OP_FLOW_SET] = control_flow_set,
	[OP_FLOWS] = control_flows,
	[OP_LATENCY] = control_latency,
	[OP_ARRIVALS] = control_arrivals,
	[OP_TRIAL] = control_trial,
	[OP_PUSH] = control_push,
	[OP_CAPTURE_START] = control_capture_start,
	[OP_CAPTURE_STOP] = control_capture_stop,
	[OP_CAPTURE_FETCH] = control_capture_fetch,
	[OP_CAPTURE_REMOVE] = control_capture_remove,
	[OP_CAPTURE_STATUS] = control_capture_status,
	[OP_ADDRESS] = control_address,
	[OP_VERIFIED] = control_verified,
	[OP_SEQUENCE] = control_sequence,
	[OP_MEMORY] = control_memory,
	[OP_LOSSES] = control_losses,
	[OP_VARIATION] = control_variation,
};

/* Wait for a request, and see to the links meanwhile and before it is read. */
static void await_request(int fd)
{
	struct pollfd watched[] = {{.fd = fd, .events = POLLIN}, {.fd = link_fd(), .events = POLLIN}};
	do {
		int ready = poll(watched, RTE_DIM(watched), -1);
		if (ready > 0 && watched[1].revents != 0)
			link_read();
	} while (watched[0].revents == 0);
}

void control_serve(int fd)
{
	struct message message = {0};
	while (await_request(fd), message_receive(fd, &message)) {
		if (message.op < RTE_DIM(answers) && answers[message.op] != NULL)
			answers[message.op](&message);
		else
			message_fail(&message, "unknown request %u", message.op);
		if (!message_answer(fd, &message))
			break;
	}
	free((void *)(uintptr_t)message.request);
	free(message.reply);
}
