#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_ethdev.h>

#include "clock.h"
#include "flow.h"
#include "pacing.h"
#include "poll.h"
#include "port.h"
#include "trial.h"
#include "verify.h"
#include "worker.h"

struct start {
	struct port *port;
	struct stream *streams, *old_streams;
	struct stream **active, **old_active;
	uint32_t count, old_count;
	bool new_trial, paused, busy;
	double duration_s;
	uint64_t begin;
};

static void release_streams(struct stream *streams, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		stream_release(&streams[i]);
	free(streams);
}

static void begin_trial(uint64_t now)
{
	trial_begin(now);
	for (uint32_t i = 0; i < worker_count; i++)
		watch_begin(&workers[i].watch);
	flow_arrivals_reset();
	verify_begin_trial();
	for (uint32_t i = 0; i < port_count; i++) {
		pacing_begin(&pacings[i]);
		ports[i].gaps_made_up = 0;
		ports[i].rx_packets_before = ports[i].rx_packets;
		ports[i].rx_unknown_before = ports[i].rx_unknown;
	}
}

/* Poll thread. */
static void start_now(void *argument)
{
	struct start *start = argument;
	struct port *port = start->port;
	uint64_t now = clock_ticks();
	start->busy = port->active_count != 0;
	if (start->busy)
		return;
	uint64_t begin = start->begin > now ? start->begin : now;
	if (start->new_trial)
		begin_trial(now);
	trial.end = 0;
	start->old_streams = port->streams;
	start->old_count = port->stream_count;
	start->old_active = port->active;
	port->streams = start->streams;
	port->stream_count = start->count;
	port->active = start->active;
	port->trial = trial.number;
	port->full_since = port->offered_at = port->refused_at = 0;
	port->gaps_made_up = port->watch->gap_total;
	for (uint32_t i = 0; i < start->count; i++) {
		struct stream *stream = &port->streams[i];
		stream_begin(stream, begin, start->duration_s);
		if (stream->kind == FLOW_LATENCY)
			flow_latency_begin(stream->hw_id, stream->generation, stream->limit == NEVER ? 0 : stream->limit);
		if (stream->verifier != NULL)
			verify_begin(stream->verifier, port->index, now);
		if (start->paused)
			stream_set_rate(stream, 0, begin);
	}
	port->active_count = start->count;
	port->next_due = now;
}

static bool read_streams(struct message *message, struct start *start)
{
	const uint8_t *at = message->request + sizeof(struct start_request);
	const uint8_t *end = message->request + message->request_length;
	for (uint32_t i = 0; i < start->count; i++) {
		at = stream_read(&start->streams[i], at, end, start->duration_s);
		if (at == NULL) {
			message_fail(message, "stream %u of the start request is malformed, or there is no memory for it", i);
			return false;
		}
	}
	/* Latency streams first: see port_transmit(). */
	uint32_t place = 0;
	for (int latency = 1; latency >= 0; latency--)
		for (uint32_t i = 0; i < start->count; i++)
			if ((start->streams[i].kind == FLOW_LATENCY) == latency)
				start->active[place++] = &start->streams[i];
	return true;
}

void control_start(struct message *message)
{
	const struct start_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->port >= port_count || request->streams == 0 || request->streams > 65536) {
		message_fail(message, "start of %u streams on port %u cannot be", request->streams, request->port);
		return;
	}
	struct start start = {
		.port = &ports[request->port], .count = request->streams, .new_trial = request->new_trial != 0,
		.paused = request->paused != 0, .duration_s = request->duration_s,
		.streams = calloc(request->streams, sizeof(struct stream)),
		.active = calloc(request->streams, sizeof(struct stream *)),
		.begin = request->start_ns == 0 ? 0 : clock_ticks_at(request->start_ns),
	};
	start.busy = true;
	if (start.streams == NULL || start.active == NULL)
		message_fail(message, "no memory for %u streams", request->streams);
	else if (read_streams(message, &start)) {
		poll_run(start_now, &start);
		if (start.busy)
			message_fail(message, "port %u transmits already", request->port);
	}
	for (uint32_t i = 0; start.busy && start.streams != NULL && i < start.count; i++)
		verifier_free(start.streams[i].verifier);
	verifier_free_retired();
	release_streams(start.busy ? start.streams : start.old_streams, start.busy ? start.count : start.old_count);
	free(start.busy ? start.active : start.old_active);
}

static void stop_now(void *port) { port_stop(port, clock_ticks()); }

void control_stop(struct message *message)
{
	const uint32_t *port = message_request(message, sizeof(*port));
	if (port == NULL)
		return;
	if (*port >= port_count) {
		message_fail(message, "there is no port %u", *port);
		return;
	}
	poll_run(stop_now, &ports[*port]);
	/* What is due is sent or given up within these bounds. */
	while (__atomic_load_n(&ports[*port].active_count, __ATOMIC_ACQUIRE) != 0)
		usleep(50);
}

struct rates {
	struct port *port;
	const uint8_t *values;
	uint32_t count;
};

/* Poll thread. */
static void rates_now(void *argument)
{
	const struct rates *rates = argument;
	uint64_t now = clock_ticks();
	for (uint32_t i = 0; i < rates->count; i++) {
		double rate_pps;
		memcpy(&rate_pps, rates->values + i * sizeof(rate_pps), sizeof(rate_pps));
		stream_set_rate(&rates->port->streams[i], rate_pps, now);
	}
	if (rates->port->active_count != 0)
		rates->port->next_due = now;
}

void control_rates(struct message *message)
{
	const struct rates_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->port >= port_count || request->streams != ports[request->port].stream_count ||
	    message->request_length != sizeof(*request) + request->streams * sizeof(double)) {
		message_fail(message, "rates of %u streams do not fit port %u", request->streams, request->port);
		return;
	}
	struct rates rates = {&ports[request->port], (const uint8_t *)(request + 1), request->streams};
	poll_run(rates_now, &rates);
}

struct push {
	struct port *port;
	struct rte_mbuf *frame;
	bool taken;
};

/* Poll thread. */
static void push_now(void *argument)
{
	struct push *push = argument;
	push->frame = rte_pktmbuf_copy(push->frame, tx_pool, 0, UINT32_MAX);
	push->taken = push->frame != NULL && port_send(push->port, &push->frame, 1) == 1;
	if (push->frame != NULL && !push->taken)
		rte_pktmbuf_free(push->frame);
}

static bool push_one(struct port *port, const uint8_t *bytes, uint16_t length)
{
	/* A buffer outside of any pool: the pool's cache belongs to the poll thread, which makes the copy. */
	struct rte_mbuf outside = {
		.buf_addr = (void *)(uintptr_t)bytes, .buf_len = length, .data_len = length, .pkt_len = length,
		.nb_segs = 1, .refcnt = 1,
	};
	struct push push = {port, &outside, false};
	for (int attempt = 0; attempt < 20 && !push.taken; attempt++) {
		push.frame = &outside;
		poll_run(push_now, &push);
	}
	return push.taken;
}

void control_push(struct message *message)
{
	const struct push_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->port >= port_count) {
		message_fail(message, "there is no port %u", request->port);
		return;
	}
	const uint8_t *at = (const uint8_t *)(request + 1), *end = message->request + message->request_length;
	struct push_reply reply = {.monotonic_ns = clock_monotonic_ns()};
	for (uint32_t i = 0; i < request->frames; i++) {
		uint16_t length;
		if (end - at < 2)
			break;
		memcpy(&length, at, 2);
		at += 2;
		if (length < 14 || length > MAX_FRAME || length > end - at)
			break;
		reply.sent += push_one(&ports[request->port], at, length);
		at += length;
		if (request->gap_us != 0 && i + 1 < request->frames)
			usleep(request->gap_us);
	}
	message_append(message, &reply, sizeof(reply));
}

/* Poll thread. */
static void flow_set_now(void *argument)
{
	const struct flow_set_request *request = argument;
	flow_set(request->flow, request->active != 0);
}

void control_flow_set(struct message *message)
{
	const struct flow_set_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->flow < ALL_FLOWS && flow_prepare(request->flow))
		poll_run(flow_set_now, (void *)(uintptr_t)request);
	else
		message_fail(message, "flow %u cannot be set up", request->flow);
}

/* Poll thread. */
static void address_now(void *argument)
{
	const struct address_request *request = argument;
	memcpy(&ports[request->port].mac, request->mac, 6);
	memcpy(&ports[request->port].ipv4, request->ipv4, 4);
}

void control_address(struct message *message)
{
	const struct address_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->port >= port_count)
		message_fail(message, "there is no port %u", request->port);
	else
		poll_run(address_now, (void *)(uintptr_t)request);
}
