#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_ethdev.h>

#include "clock.h"
#include "flow.h"
#include "link.h"
#include "pacing.h"
#include "poll.h"
#include "transmit.h"
#include "trial.h"
#include "verify.h"
#include "worker.h"

struct start {
	struct port *port;
	uint32_t profile;
	struct stream *streams, *old_streams;
	uint32_t count, old_count;
	struct appointment *room[LANES]; /* for all streams of the port; afterwards what is to be freed */
	uint32_t room_for;
	bool new_trial, busy;
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
		ports[i].first_left = ports[i].last_left = 0;
		ports[i].past = (struct tally){0};
		ports[i].rx_packets_before = ports[i].rx_packets;
		ports[i].rx_unknown_before = ports[i].rx_unknown;
	}
}

/* Give the lanes the room that was made; `room` receives what they had. */
static void exchange_room(struct start *start)
{
	for (int i = 0; i < LANES; i++) {
		struct agenda *agenda = &start->port->lanes[i].agenda;
		struct appointment *old = agenda->entries;
		memcpy(start->room[i], old, agenda->count * sizeof(*old));
		agenda->entries = start->room[i];
		start->room[i] = old;
	}
}

static void begin_streams(struct start *start, struct profile *profile, uint64_t now)
{
	uint64_t begin = start->begin > now ? start->begin : now;
	transmit_begin(start->port, profile, begin, start->duration_s * 1e9 * ticks_per_ns);
	for (uint32_t i = 0; i < profile->count; i++) {
		struct stream *stream = &profile->streams[i];
		uint64_t frames = stream->next != NULL || stream->limit == NEVER ? 0 : stream->limit * stream->bursts;
		if (stream->kind == FLOW_LATENCY)
			flow_latency_begin(stream->hw_id, stream->generation, frames);
		if (stream->verifier != NULL)
			verify_begin(stream->verifier, start->port->index, now);
	}
}

/* Poll thread. */
static void start_now(void *argument)
{
	struct start *start = argument;
	struct port *port = start->port;
	struct profile *profile = &port->profiles[start->profile];
	uint64_t now = clock_ticks();
	start->busy = profile->active != 0;
	if (start->busy)
		return;
	if (start->new_trial)
		begin_trial(now);
	else if (profile->trial == trial.number)
		tally_add(&port->past, transmit_tally(profile, now));
	trial.end = 0;
	exchange_room(start);
	start->old_streams = profile->streams;
	start->old_count = profile->count;
	profile->streams = start->streams;
	profile->count = start->count;
	profile->trial = port->trial = trial.number;
	if (port->active_count == 0) {
		port->full_since = port->offered_at = port->refused_at = 0;
		port->gaps_made_up = port->watch->gap_total;
	}
	begin_streams(start, profile, now);
	uint32_t active = 0;
	for (uint32_t i = 0; i < port_count; i++)
		active += ports[i].active_count;
	if (active == 0) /* nothing is due before the end */
		trial.end = now;
}

static bool read_streams(struct message *message, struct start *start)
{
	const uint8_t *at = message->request + sizeof(struct start_request);
	const uint8_t *end = message->request + message->request_length;
	for (uint32_t i = 0; i < start->count; i++) {
		at = stream_read(&start->streams[i], at, end, start->duration_s, start->streams, start->count);
		if (at == NULL) {
			message_fail(message, "stream %u of the start request is malformed, or there is no memory for it", i);
			return false;
		}
	}
	return true;
}

static bool make_room(struct start *start)
{
	uint32_t room = start->count;
	for (uint32_t i = 0; i < MAX_PROFILES; i++)
		if (i != start->profile)
			room += start->port->profiles[i].count;
	for (int i = 0; i < LANES; i++) {
		start->room[i] = calloc(room, sizeof(struct appointment));
		if (start->room[i] == NULL)
			return false;
	}
	start->streams = calloc(start->count, sizeof(struct stream));
	return start->streams != NULL;
}

/* The tick of a moment to start at. The clocks are compared anew each time, with an error of some nanoseconds: ports that
 * are told the same moment shall begin at the same tick.
 */
static uint64_t begin_at(uint64_t start_ns)
{
	static uint64_t last_ns, last_ticks;
	if (start_ns != last_ns) {
		last_ns = start_ns;
		last_ticks = start_ns == 0 ? 0 : clock_ticks_at(start_ns);
	}
	return last_ticks;
}

void control_start(struct message *message)
{
	const struct start_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->port >= port_count || request->profile >= MAX_PROFILES || request->streams == 0 ||
	    request->streams > 65536) {
		message_fail(message, "start of %u streams on port %u cannot be", request->streams, request->port);
		return;
	}
	struct start start = {
		.port = &ports[request->port], .profile = request->profile, .count = request->streams,
		.new_trial = request->new_trial != 0, .duration_s = request->duration_s,
		.begin = begin_at(request->start_ns),
	};
	start.busy = true;
	if (!make_room(&start))
		message_fail(message, "no memory for %u streams", request->streams);
	else if (read_streams(message, &start)) {
		if (start.new_trial)
			link_begin_trial();
		poll_run(start_now, &start);
		if (start.busy)
			message_fail(message, "profile %u of port %u transmits already", start.profile, request->port);
	}
	for (uint32_t i = 0; start.busy && start.streams != NULL && i < start.count; i++)
		verifier_free(start.streams[i].verifier);
	verifier_free_retired();
	release_streams(start.busy ? start.streams : start.old_streams, start.busy ? start.count : start.old_count);
	for (int i = 0; i < LANES; i++)
		free(start.room[i]);
}

struct stop {
	struct port *port;
	struct profile *profile;
};

/* Poll thread. */
static void stop_now(void *argument)
{
	const struct stop *stop = argument;
	transmit_stop(stop->port, stop->profile, clock_ticks());
}

/* The profile that a request names, or NULL and the reply says so. */
static struct profile *asked_profile(struct message *message, uint32_t port, uint32_t profile)
{
	if (port < port_count && profile < MAX_PROFILES)
		return &ports[port].profiles[profile];
	message_fail(message, "there is no profile %u of a port %u", profile, port);
	return NULL;
}

void control_stop(struct message *message)
{
	const struct stop_request *request = message_request(message, sizeof(*request));
	struct profile *profile = request == NULL ? NULL : asked_profile(message, request->port, request->profile);
	if (profile == NULL)
		return;
	poll_run(stop_now, &(struct stop){&ports[request->port], profile});
	/* What is due is sent or given up within these bounds. */
	while (__atomic_load_n(&profile->active, __ATOMIC_ACQUIRE) != 0)
		usleep(50);
}

struct rates {
	struct port *port;
	struct profile *profile;
	const uint8_t *values;
};

/* Poll thread. */
static void rates_now(void *argument)
{
	const struct rates *rates = argument;
	uint64_t now = clock_ticks();
	for (uint32_t i = 0; i < rates->profile->count; i++) {
		double rate_pps;
		memcpy(&rate_pps, rates->values + i * sizeof(rate_pps), sizeof(rate_pps));
		if (rate_pps >= 0)
			stream_set_rate(&rates->profile->streams[i], rate_pps, now);
	}
	transmit_renew(rates->port);
}

void control_rates(struct message *message)
{
	const struct rates_request *request = message_request(message, sizeof(*request));
	struct profile *profile = request == NULL ? NULL : asked_profile(message, request->port, request->profile);
	if (profile == NULL)
		return;
	if (request->streams != profile->count ||
	    message->request_length != sizeof(*request) + request->streams * sizeof(double)) {
		message_fail(message, "rates of %u streams do not fit profile %u", request->streams, request->profile);
		return;
	}
	poll_run(rates_now, &(struct rates){&ports[request->port], profile, (const uint8_t *)(request + 1)});
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
