#include "control.h"

#include <string.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "clock.h"
#include "device.h"
#include "flow.h"
#include "link.h"
#include "pacing.h"
#include "transmit.h"
#include "trial.h"
#include "verify.h"
#include "worker.h"

void control_ports(struct message *message)
{
	for (uint32_t i = 0; i < port_count; i++) {
		const struct port *port = &ports[i];
		uint64_t transmitting = 0;
		for (uint32_t profile = 0; profile < MAX_PROFILES; profile++)
			transmitting |= (uint64_t)(port->profiles[profile].active != 0) << profile;
		struct port_reply reply = {
			.transmitting = transmitting,
			.link_up = device_link_up(port),
			.tx_packets = port->tx_packets, .tx_bytes = port->tx_bytes,
			.rx_packets = port->rx_packets, .rx_bytes = port->rx_bytes,
			.tx_given_up = port->tx_given_up, .rx_no_buffer = device_missed(port),
			.tx_refused = port->tx_refused, .busy_ns = ticks_to_ns(port->busy),
			.longest_frame = port->longest_frame,
		};
		message_append(message, &reply, sizeof(reply));
	}
}

static void append_pool(struct rte_mempool *pool, void *message)
{
	struct memory_reply reply = {
		.buffer_bytes = (uint32_t)rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM,
		.free = rte_mempool_avail_count(pool), .total = pool->size,
	};
	message_append(message, &reply, sizeof(reply));
}

void control_memory(struct message *message)
{
	rte_mempool_walk(append_pool, message);
}

void control_flows(struct message *message)
{
	uint32_t index;
	for (uint32_t at = 0; at + sizeof(index) <= message->request_length; at += sizeof(index)) {
		memcpy(&index, message->request + at, sizeof(index));
		if (index >= ALL_FLOWS) {
			message_fail(message, "there is no flow %u", index);
			return;
		}
		for (uint32_t port = 0; port < port_count; port++)
			message_append(message, &flow_counters[port][index], sizeof(struct flow_counters));
	}
}

static struct trial_port trial_port(const struct port *port, uint64_t now)
{
	struct trial_port result = {
		.port = port->index, .took_part = port->trial == trial.number && trial.number != 0,
		.rx_packets = port->rx_packets - port->rx_packets_before,
		.rx_unknown = port->rx_unknown - port->rx_unknown_before,
		.lateness_ns = spread_percentiles(&pacings[port->index].lateness),
		.jitter_ns = spread_percentiles(&pacings[port->index].jitter),
	};
	struct link_log link = link_log(port->index);
	result.link_downs = link.downs;
	if (link.first_down > trial.begin)
		result.link_down_at_ns = ticks_to_ns(link.first_down - trial.begin);
	result.sending_ns = ticks_to_ns(port->last_left - port->first_left);
	struct tally all = port->past;
	for (uint32_t i = 0; i < MAX_PROFILES; i++)
		if (port->profiles[i].trial == trial.number)
			tally_add(&all, transmit_tally(&port->profiles[i], now));
	if (result.took_part) {
		result.intended = all.intended;
		result.sent = all.sent;
		result.queue_full = all.queue_full;
		result.late = all.late;
	}
	return result;
}

void control_trial(struct message *message)
{
	uint64_t now = clock_ticks();
	bool running = trial.number != 0 && trial.end == 0;
	struct watch_sum sum = watch_total(worker_watches(), worker_count);
	struct trial_reply reply = {
		.number = trial.number, .running = running,
		.duration_ns = trial.number == 0 ? 0 : ticks_to_ns((running ? now : trial.end) - trial.begin),
		.gaps_over_10us = sum.over_10us, .gaps_over_50us = sum.over_50us,
		.gaps_over_100us = sum.over_100us, .gaps_over_1ms = sum.over_1ms,
		.gap_max_ns = ticks_to_ns(sum.gap_max), .gap_total_ns = ticks_to_ns(sum.gap_total),
	};
	message_append(message, &reply, sizeof(reply));
	for (uint32_t i = 0; i < port_count; i++) {
		struct trial_port port = trial_port(&ports[i], now);
		message_append(message, &port, sizeof(port));
	}
	for (uint32_t i = 0; i < worker_count; i++) {
		const struct watch *watch = &workers[i].watch;
		struct trial_core core = {
			.core = workers[i].cpu, .gaps_over_100us = watch->over_100us,
			.gap_max_ns = ticks_to_ns(watch->gap_max), .gap_total_ns = ticks_to_ns(watch->gap_total),
		};
		if (watch->gap_max_end - watch->gap_max > trial.begin)
			core.gap_max_at_ns = ticks_to_ns(watch->gap_max_end - watch->gap_max - trial.begin);
		message_append(message, &core, sizeof(core));
	}
}

void control_verified(struct message *message)
{
	for (uint32_t tx = 0; tx < port_count; tx++)
		for (uint32_t rx = 0; rx < port_count; rx++) {
			struct verified_reply reply = {.tx_port = tx, .rx_port = rx, .direction = verified[tx][rx]};
			uint64_t frames = 0;
			for (int kind = 0; kind < WRONG_KINDS; kind++)
				frames += reply.direction.wrong[kind];
			if (reply.direction.flows != 0 || frames != 0)
				message_append(message, &reply, sizeof(reply));
		}
}

static struct losses_reply losses_of(const struct verifier *verifier)
{
	uint64_t numbered = __atomic_load_n(&verifier->sent, __ATOMIC_RELAXED);
	const struct losses losses = window_losses(&verifier->window, numbered);
	const struct timetable *timetable = &verifier->timetable;
	const struct timetable_entry *begin = timetable->entries;
	struct losses_reply reply = {
		.flow = verifier->flow, .tx_port = verifier->tx_port, .rx_port = verifier->rx_port,
		.numbered = numbered, .lost = losses.lost,
	};
	if (timetable->count != 0) {
		reply.first_due_ns = ((double)(int64_t)(begin->tick - trial.begin) + begin->fraction) / ticks_per_ns;
		reply.frame_time_ns = begin->period / ticks_per_ns;
	}
	reply.times_exact = losses.lost == 0;
	if (losses.lost == 0)
		return reply;
	reply.first = losses.first;
	reply.last = losses.run_first + losses.run - 1;
	reply.longest_first = losses.longest_first;
	reply.longest = losses.longest;
	reply.times_exact = reply.last < timetable->unknown_from;
	reply.first_ns = timetable_after_first(timetable, reply.first) / ticks_per_ns;
	reply.last_ns = timetable_after_first(timetable, reply.last) / ticks_per_ns;
	reply.longest_ns = timetable_after_first(timetable, reply.longest_first) / ticks_per_ns;
	return reply;
}

void control_losses(struct message *message)
{
	for (uint32_t flow = 0; flow < ALL_FLOWS; flow++) { /* the control thread's own requests install and retire them */
		const struct verifier *verifier = verifiers[flow];
		if (verifier == NULL || verifier->trial != verifier_trial)
			continue;
		struct losses_reply reply = losses_of(verifier);
		message_append(message, &reply, sizeof(reply));
	}
}
