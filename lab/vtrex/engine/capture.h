/* Captures: frames kept for a client, as they were sent or received, chosen by port and by a pcap filter.
 *
 * A capture is made by the control thread (memory, filter) and then belongs to the poll thread: the functions marked
 * "poll thread" run there, through poll_run() when the control thread needs them.
 */
#ifndef VTREX_CAPTURE_H
#define VTREX_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "protocol.h"

struct capture;

/* Returns NULL and a text in `error` (PCAP_ERRBUF_SIZE) when the filter or the memory does not allow it. */
struct capture *capture_new(const struct capture_start_request *request, const char *filter, char *error);
void capture_free(struct capture *capture);

/* Poll thread. */
bool capture_begin(struct capture *capture); /* false: too many captures */
void capture_stop(struct capture *capture);
void capture_forget(struct capture *capture);
struct capture *capture_find(uint32_t id);
void capture_describe(const struct capture *capture, struct capture_reply *reply);
uint32_t capture_list(struct capture_reply *replies, uint32_t room);
void capture_frame(uint32_t port, bool sent, const struct rte_mbuf *frame, uint64_t ticks);

/* Poll thread: move the oldest kept frame to `to`; its length, or 0 when none is left or `room` is too small. */
uint32_t capture_take(struct capture *capture, uint32_t snaplen, uint8_t *to, uint32_t room);

#endif
