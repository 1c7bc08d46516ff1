#include "capture.h"

#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include <rte_spinlock.h>

#include "clock.h"
#include "port.h"

#define MAX_CAPTURES 16
#define WHOLE_FRAME 65535

struct slot {
	uint64_t ticks, index;
	uint32_t port, sent, wire_length, length;
	uint8_t bytes[];
};

struct capture {
	struct capture_start_request request;
	uint32_t id;
	bool active;
	uint64_t begin_ns;
	uint64_t matched, fetched, bytes;
	uint32_t first, count; /* of the kept slots, a circle of request.limit */
	uint32_t slot_size;
	struct bpf_program filter;
	uint8_t *slots;
};

static struct capture *captures[MAX_CAPTURES];
static uint32_t last_id;
static rte_spinlock_t frames_lock; /* frames come from several polling threads */

static struct slot *slot_at(const struct capture *capture, uint32_t n)
{
	uint64_t at = ((uint64_t)capture->first + n) % capture->request.limit;
	return (struct slot *)(capture->slots + at * capture->slot_size);
}

struct capture *capture_new(const struct capture_start_request *request, const char *filter, char *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	uint32_t kept = request->snaplen != 0 && request->snaplen < MAX_FRAME ? request->snaplen : MAX_FRAME;
	error[0] = 0;
	if (capture == NULL)
		return NULL;
	capture->request = *request;
	capture->begin_ns = clock_monotonic_ns();
	capture->slot_size = (uint32_t)(sizeof(struct slot) + kept + 63u) & ~63u;
	capture->slots = calloc(request->limit, capture->slot_size);
	pcap_t *compiler = pcap_open_dead(DLT_EN10MB, WHOLE_FRAME);
	bool good = capture->slots != NULL && compiler != NULL;
	if (good && pcap_compile(compiler, &capture->filter, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		snprintf(error, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(compiler));
		good = false;
	}
	if (compiler != NULL)
		pcap_close(compiler);
	if (good)
		return capture;
	if (error[0] == 0)
		snprintf(error, PCAP_ERRBUF_SIZE, "no memory for %u frames", request->limit);
	capture_free(capture);
	return NULL;
}

void capture_free(struct capture *capture)
{
	pcap_freecode(&capture->filter);
	free(capture->slots);
	free(capture);
}

static void watch(const struct capture *capture, uint32_t change)
{
	for (uint32_t i = 0; i < port_count; i++) {
		ports[i].tx_captures += capture->request.tx_ports >> i & 1 ? change : 0;
		ports[i].rx_captures += capture->request.rx_ports >> i & 1 ? change : 0;
	}
}

bool capture_begin(struct capture *capture)
{
	for (uint32_t i = 0; i < MAX_CAPTURES; i++) {
		if (captures[i] != NULL)
			continue;
		captures[i] = capture;
		capture->id = ++last_id;
		capture->active = true;
		watch(capture, 1);
		return true;
	}
	return false;
}

void capture_stop(struct capture *capture)
{
	if (capture->active)
		watch(capture, UINT32_MAX); /* minus one */
	capture->active = false;
}

void capture_forget(struct capture *capture)
{
	capture_stop(capture);
	for (uint32_t i = 0; i < MAX_CAPTURES; i++)
		if (captures[i] == capture)
			captures[i] = NULL;
}

struct capture *capture_find(uint32_t id)
{
	for (uint32_t i = 0; i < MAX_CAPTURES; i++)
		if (captures[i] != NULL && captures[i]->id == id)
			return captures[i];
	return NULL;
}

void capture_describe(const struct capture *capture, struct capture_reply *reply)
{
	*reply = (struct capture_reply){
		.id = capture->id, .active = capture->active, .monotonic_ns = capture->begin_ns,
		.limit = capture->request.limit, .tx_ports = capture->request.tx_ports,
		.rx_ports = capture->request.rx_ports, .cyclic = capture->request.cyclic,
		.matched = capture->matched, .fetched = capture->fetched,
		.count = capture->count, .bytes = capture->bytes,
	};
}

uint32_t capture_list(struct capture_reply *replies, uint32_t room)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < MAX_CAPTURES && count < room; i++)
		if (captures[i] != NULL)
			capture_describe(captures[i], &replies[count++]);
	return count;
}

static void keep(struct capture *capture, uint32_t port, bool sent, const struct rte_mbuf *frame, uint64_t ticks)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	if (bpf_filter(capture->filter.bf_insns, bytes, frame->pkt_len, frame->data_len) == 0)
		return;
	capture->matched++;
	if (capture->count == capture->request.limit) {
		if (!capture->request.cyclic)
			return;
		capture->bytes -= slot_at(capture, 0)->length;
		capture->first = (capture->first + 1) % capture->request.limit;
		capture->count--;
	}
	struct slot *slot = slot_at(capture, capture->count++);
	uint32_t room = capture->slot_size - (uint32_t)sizeof(*slot);
	if (capture->request.snaplen != 0 && capture->request.snaplen < room)
		room = capture->request.snaplen;
	uint32_t length = RTE_MIN(frame->pkt_len, room);
	slot->ticks = ticks;
	slot->index = capture->matched;
	slot->port = port;
	slot->sent = sent;
	slot->wire_length = frame->pkt_len;
	slot->length = length;
	const void *from = rte_pktmbuf_read(frame, 0, length, slot->bytes); /* where it is, or copied if it is in pieces */
	if (from != slot->bytes)
		memcpy(slot->bytes, from, length);
	capture->bytes += length;
}

void capture_frame(uint32_t port, bool sent, const struct rte_mbuf *frame, uint64_t ticks)
{
	rte_spinlock_lock(&frames_lock);
	for (uint32_t i = 0; i < MAX_CAPTURES; i++) {
		struct capture *capture = captures[i];
		if (capture == NULL || !capture->active)
			continue;
		uint32_t mask = sent ? capture->request.tx_ports : capture->request.rx_ports;
		if (mask >> port & 1)
			keep(capture, port, sent, frame, ticks);
	}
	rte_spinlock_unlock(&frames_lock);
}

uint32_t capture_take(struct capture *capture, uint32_t snaplen, uint8_t *to, uint32_t room)
{
	if (capture->count == 0)
		return 0;
	const struct slot *slot = slot_at(capture, 0);
	uint32_t length = snaplen != 0 && snaplen < slot->length ? snaplen : slot->length;
	if (room < sizeof(struct captured_frame) + length)
		return 0;
	struct captured_frame *frame = (void *)to;
	*frame = (struct captured_frame){
		.ticks = slot->ticks, .index = slot->index, .port = slot->port, .sent = slot->sent,
		.wire_length = slot->wire_length, .length = length,
	};
	memcpy(frame + 1, slot->bytes, length);
	capture->first = (capture->first + 1) % capture->request.limit;
	capture->count--;
	capture->bytes -= slot->length;
	capture->fetched++;
	return (uint32_t)sizeof(*frame) + length;
}
