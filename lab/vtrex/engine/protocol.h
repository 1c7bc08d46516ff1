/* What the server and the engine say to each other over their socket pair: a header, then `length` bytes.
 *
 * All integers are little-endian and packed; lab/vtrex/messages.py mirrors this file. A reply repeats the header with
 * the `op` of the request; a status other than 0 means that the payload is the text of an error.
 */
#ifndef VTREX_PROTOCOL_H
#define VTREX_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_VERSION 17u
#define MAX_PAYLOAD (64u << 20)
#define MAX_PORTS 8
#define MAX_FRAME 9238 /* without FCS: as long as TRex's are */
#define SHORTEST_FRAME 60
#define BURST 32
#define STATS_FLOWS 1023   /* hw_id 0..1022 of rule type "stats" */
#define LATENCY_FLOWS 128  /* hw_id 0..127 of rule type "latency" */
#define ALL_FLOWS (STATS_FLOWS + LATENCY_FLOWS) /* a flow index: stats hw_id, or STATS_FLOWS + latency hw_id */
#define NO_FLOW 0xffffffffu
#define NO_STREAM 0xffffffffu
#define MAX_PROFILES 64 /* of a port at a time */

enum op {
	OP_HELLO = 1,
	OP_PORTS,
	OP_START,
	OP_STOP,
	OP_RATES,
	OP_FLOW_SET,
	OP_FLOWS,
	OP_LATENCY,
	OP_ARRIVALS,
	OP_TRIAL,
	OP_PUSH,
	OP_CAPTURE_START,
	OP_CAPTURE_STOP,
	OP_CAPTURE_FETCH,
	OP_CAPTURE_REMOVE,
	OP_CAPTURE_STATUS,
	OP_ADDRESS,
	OP_VERIFIED,
	OP_SEQUENCE,
	OP_MEMORY,
	OP_LOSSES,
	OP_VARIATION,
};

#define WIRE_STRUCT struct __attribute__((packed))

WIRE_STRUCT header {
	uint32_t op;
	int32_t status;
	uint32_t length;
};

WIRE_STRUCT hello_core { /* of a polling thread */
	uint32_t core, tid;
};

#define DRIVER_NAME_SIZE 16

/* Followed by `cores` of hello_core, and the name of the driver of each port, DRIVER_NAME_SIZE bytes. */
WIRE_STRUCT hello_reply {
	uint32_t version;
	uint32_t ports;
	uint32_t cores;
	uint64_t tsc_hz;
	uint64_t arrivals_capacity;
};

WIRE_STRUCT memory_reply { /* OP_MEMORY: one for each pool of frame buffers */
	uint32_t buffer_bytes; /* what a buffer holds of a frame */
	uint32_t free, total;
};

WIRE_STRUCT port_reply { /* OP_PORTS: one for each port; counters since the engine began */
	uint64_t transmitting; /* bit i: profile i */
	uint64_t link_up;
	uint64_t tx_packets, tx_bytes;
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_given_up; /* frames that the device did not take, or that were too late to send */
	uint64_t rx_no_buffer;
	uint64_t tx_refused;  /* bursts of which the device took less than was offered */
	uint64_t busy_ns;     /* time spent in steps of the loop that moved a frame of this port */
	uint64_t longest_frame; /* that the device can send, without FCS */
};

WIRE_STRUCT start_request { /* OP_START, followed by `streams` of stream_spec */
	uint32_t port;
	uint32_t streams;
	uint32_t new_trial;
	uint32_t profile;
	double duration_s;    /* negative: until stopped */
	uint64_t start_ns;    /* CLOCK_MONOTONIC, 0 = now */
};

enum flow_kind { FLOW_NONE, FLOW_STATS, FLOW_LATENCY };

WIRE_STRUCT stream_spec { /* followed by variables, actions, list values, verify_spec if verified, the frame */
	double rate_pps;
	double gap_before_us;
	double burst_gap_us;   /* from the last frame of a burst to the first of the next */
	uint64_t burst_frames; /* 0: as many as the duration allows */
	uint32_t bursts;       /* 0: without end */
	uint32_t next;         /* index of the stream that begins with the last frame of this one, NO_STREAM: none */
	uint32_t loops;        /* how often the stream has its bursts until `next` does not begin any more; 0: never */
	uint32_t flow;         /* flow index or NO_FLOW */
	uint16_t length;       /* of the frame without FCS */
	uint8_t kind;          /* enum flow_kind */
	uint8_t generation;    /* flow_seq of the latency header */
	uint8_t self_start, start_paused;
	uint8_t dummy;         /* keeps its time, sends nothing */
	uint8_t verified;
	uint16_t variables, actions;
	uint32_t list_values;  /* number of 64-bit values of all lists together */
};

#define MAX_VARIABLES 256 /* of one stream */
#define NO_VARIABLE 0xffffu

enum variable_op { VARIABLE_STEP, VARIABLE_RANDOM };

WIRE_STRUCT variable_spec {
	uint64_t first, last; /* the last one is followed by the first again; the least and the greatest of random ones */
	uint64_t step;        /* modulo 2^64: of a variable that goes down it is negative */
	uint64_t initial;     /* the first frame's; of random ones the seed */
	uint32_t list_offset, list_length; /* length 0: no list; otherwise the variable is an index into it */
	uint16_t advanced_by;  /* an earlier variable, after whose wrap around this one changes; NO_VARIABLE: always */
	uint16_t restarted_by; /* an earlier variable, after whose wrap around this one begins anew; or NO_VARIABLE */
	uint8_t op;
};

enum action_kind {
	ACTION_WRITE,
	ACTION_WRITE_MASKED,
	ACTION_TRIM,
	ACTION_FIX_IPV4,         /* in the order of the actions */
	ACTION_FIX_TRANSPORT,
	ACTION_FINISH_IPV4,      /* when all else is done */
	ACTION_FINISH_TRANSPORT,
};

WIRE_STRUCT action_spec {
	uint8_t kind;
	uint8_t size;       /* bytes that are written; of an IPv4 header that gets its checksum */
	uint8_t big_endian;
	int8_t shift;       /* to the left */
	uint16_t variable;
	uint16_t offset;    /* of what is written; of the IP header */
	uint16_t transport; /* of the transport header */
	uint8_t protocol;   /* of the transport header */
	uint32_t mask;
	int64_t add;
};

WIRE_STRUCT verify_spec { /* what the stream's frames look like where they arrive */
	uint8_t src[6], dst[6];
	uint8_t rx_port;
	uint8_t hops; /* routers on the way: the TTL is less by as many */
};

WIRE_STRUCT stop_request {
	uint32_t port;
	uint32_t profile;
};

WIRE_STRUCT rates_request { /* OP_RATES, followed by `streams` of double: 0 pauses a stream, below 0: as it was */
	uint32_t port;
	uint32_t profile;
	uint32_t streams;
};

WIRE_STRUCT flow_set_request { /* begins (and zeroes) or ends the life of a flow index */
	uint32_t flow;
	uint32_t active;
};

WIRE_STRUCT flow_counters {
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
};

WIRE_STRUCT latency_reply { /* OP_LATENCY <u32 latency hw_id>, followed by `buckets` of { u32 index, u64 count } */
	uint64_t count, minimum_ns, maximum_ns, over_range;
	double sum_ns, jitter_ns;
	uint64_t last_maximum_ns; /* of the present and the last full window of half a second */
	uint64_t dropped, out_of_order, duplicate, sequence_high, sequence_low, old_generation;
	uint64_t negative; /* frames that came before their time stamp */
	uint32_t started; /* 0: no traffic of this flow has been started yet */
	uint32_t buckets;
};

WIRE_STRUCT arrivals_request {
	uint32_t latency_flow;
	uint32_t reserved;
	uint64_t offset, limit;
};

WIRE_STRUCT arrivals_reply { /* followed by `returned` of u32 (numbers), of u32 (delays in ns), of u64 (times in ns) */
	uint64_t received, recorded, sent, returned;
};

WIRE_STRUCT variation_reply { /* OP_VARIATION <u32 latency hw_id>: variation.h; followed by { u32 index, u64 count } */
	uint64_t count, over_range;
	int64_t minimum_ns, maximum_ns;
	double absolute_sum_ns;
};

WIRE_STRUCT sequence_reply { /* OP_SEQUENCE <u32 latency hw_id>: sequence.h; followed by { u32 index, u64 count } */
	uint64_t numbered; /* of the last start; as in arrivals_reply: sent, or lost by a full queue */
	uint64_t distinct, duplicates, reordered, too_old, never_sent;
	uint64_t extent_max, extent_sum, extent_unknown;
	uint64_t window, gaps; /* its bounds */
};

WIRE_STRUCT percentiles {
	uint64_t p50, p99, p99_9, maximum;
};

WIRE_STRUCT trial_port {
	uint32_t port;
	uint32_t took_part;
	uint64_t intended, sent, queue_full, late, rx_packets, rx_unknown;
	struct percentiles lateness_ns, jitter_ns; /* of the frames that were sent: pacing.h */
	uint64_t link_downs;      /* how often its link went down, or was down when the trial began */
	uint64_t link_down_at_ns; /* the first time, since the begin of the trial */
	uint64_t sending_ns; /* from when the device took the first frame until it took the last one's burst */
};

WIRE_STRUCT trial_core { /* what one polling thread saw */
	uint32_t core;
	uint64_t gaps_over_100us, gap_max_ns, gap_total_ns;
	uint64_t gap_max_at_ns; /* begin of the longest gap, since the begin of the trial */
};

WIRE_STRUCT trial_reply { /* sums over the polling threads; followed by one trial_port a port and one trial_core a core */
	uint64_t number, running;
	uint64_t duration_ns;
	uint64_t gaps_over_10us, gaps_over_50us, gaps_over_100us, gaps_over_1ms, gap_max_ns, gap_total_ns;
};

WIRE_STRUCT push_request { /* followed by frames, each { u16 length, bytes } */
	uint32_t port;
	uint32_t frames;
	uint32_t gap_us;
};

WIRE_STRUCT push_reply {
	uint32_t sent;
	uint64_t monotonic_ns;
};

WIRE_STRUCT capture_start_request { /* followed by `filter_length` bytes of a pcap filter */
	uint32_t limit, snaplen;
	uint32_t tx_ports, rx_ports; /* bit masks */
	uint32_t cyclic;
	uint32_t filter_length;
};

WIRE_STRUCT capture_reply {
	uint32_t id, active;
	uint64_t monotonic_ns; /* of its start */
	uint32_t limit, tx_ports, rx_ports, cyclic;
	uint64_t matched, fetched, count, bytes;
};

WIRE_STRUCT capture_fetch_request {
	uint32_t id, limit;
	uint32_t snaplen; /* 0: all that was kept */
};

WIRE_STRUCT capture_fetch_reply { /* followed by `frames` of captured_frame */
	uint64_t now_ticks, now_monotonic_ns; /* one moment on both clocks */
	uint32_t frames, left;
};

WIRE_STRUCT captured_frame { /* followed by `length` bytes */
	uint64_t ticks, index; /* ticks: what capture_fetch_reply relates to a clock */
	uint32_t port, sent, wire_length, length;
};

WIRE_STRUCT address_request { /* what the port answers ARP requests with; ipv4 0 = it does not */
	uint32_t port;
	uint8_t mac[6];
	uint8_t ipv4[4];
};

enum wrong_kind { WRONG_CONTENT, WRONG_STALE, WRONG_DUPLICATE, WRONG_PORT, WRONG_KINDS };

/* Why the first frame with wrong content is wrong: its length, the byte at `offset`, the checksum of its IPv4 header, or
 * (all else being right) the signature, which then does not fit what the field engine has written into the frame.
 */
enum wrong_reason { REASON_NONE, REASON_LENGTH, REASON_BYTE, REASON_CHECKSUM, REASON_SIGNATURE };

WIRE_STRUCT wrong_sample {
	uint32_t port, length; /* where it arrived; without FCS */
	uint32_t reason, offset, expected;
	uint32_t kept;
	uint8_t bytes[64];
};

WIRE_STRUCT verified_direction {
	uint64_t flows; /* verified flows that were started in this direction */
	uint64_t good, reordered;
	uint64_t wrong[WRONG_KINDS];
	struct wrong_sample first[WRONG_KINDS];
};

WIRE_STRUCT verified_reply { /* OP_VERIFIED: of the last or running trial, one for each direction with flows or frames */
	uint32_t tx_port, rx_port;
	struct verified_direction direction;
};

/* OP_LOSSES: one for each verified flow of the last or running trial. Of the numbers that it gave to frames, those that
 * never came; `first` and so on are numbers, the times of their frames count from when the flow's first frame was due.
 */
WIRE_STRUCT losses_reply {
	uint32_t flow, tx_port, rx_port;
	uint32_t times_exact; /* 0: rates were changed, or more than TIMETABLE_ENTRIES runs of frames came before */
	uint64_t numbered, lost, first, last, longest_first, longest;
	double first_due_ns; /* since the begin of the trial */
	double frame_time_ns;
	double first_ns, last_ns, longest_ns;
};

#endif
