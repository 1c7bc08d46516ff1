#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>

#include "capture.h"
#include "clock.h"
#include "poll.h"
#include "port.h"

#define MAX_CAPTURES_LISTED 64
#define FETCH_ROOM (512u << 10)

enum act { BEGIN, STOP, FORGET, FETCH };

struct action {
	enum act act;
	uint32_t id;
	struct capture *capture;
	struct capture_fetch_request fetch;
	uint8_t *room;
	uint32_t used, frames;
	struct capture_reply reply;
};

/* Poll thread. */
static void act_now(void *argument)
{
	struct action *action = argument;
	if (action->act == BEGIN) {
		if (!capture_begin(action->capture))
			return;
	} else {
		action->capture = capture_find(action->id);
		if (action->capture == NULL)
			return;
	}
	if (action->act == STOP)
		capture_stop(action->capture);
	while (action->act == FETCH && action->frames < action->fetch.limit) {
		uint32_t length = capture_take(action->capture, action->fetch.snaplen, action->room + action->used,
					       FETCH_ROOM - action->used);
		if (length == 0)
			break;
		action->used += length;
		action->frames++;
	}
	capture_describe(action->capture, &action->reply);
	if (action->act == FORGET)
		capture_forget(action->capture);
}

static bool act(struct message *message, struct action *action)
{
	poll_run(act_now, action);
	if (action->reply.id != 0)
		return true;
	message_fail(message, "capture ID %u does not exist", action->id);
	return false;
}

void control_capture_start(struct message *message)
{
	char error[PCAP_ERRBUF_SIZE];
	const struct capture_start_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	if (request->limit == 0 || message->request_length != sizeof(*request) + request->filter_length) {
		message_fail(message, "a capture needs a limit above 0 and a filter of the announced length");
		return;
	}
	char *filter = strndup((const char *)(request + 1), request->filter_length);
	struct action action = {.act = BEGIN};
	action.capture = filter == NULL ? NULL : capture_new(request, filter, error);
	free(filter);
	if (action.capture == NULL) {
		message_fail(message, "capture filter cannot be used: %s", error);
		return;
	}
	poll_run(act_now, &action);
	if (action.reply.id == 0) {
		capture_free(action.capture);
		message_fail(message, "too many captures; remove one first");
		return;
	}
	message_append(message, &action.reply, sizeof(action.reply));
}

void control_capture_stop(struct message *message)
{
	const uint32_t *id = message_request(message, sizeof(*id));
	struct action action = {.act = STOP, .id = id == NULL ? 0 : *id};
	if (id != NULL && act(message, &action))
		message_append(message, &action.reply, sizeof(action.reply));
}

void control_capture_remove(struct message *message)
{
	const uint32_t *id = message_request(message, sizeof(*id));
	struct action action = {.act = FORGET, .id = id == NULL ? 0 : *id};
	if (id != NULL && act(message, &action))
		capture_free(action.capture);
}

void control_capture_fetch(struct message *message)
{
	const struct capture_fetch_request *request = message_request(message, sizeof(*request));
	if (request == NULL)
		return;
	struct action action = {.act = FETCH, .id = request->id, .fetch = *request, .room = malloc(FETCH_ROOM)};
	if (action.room == NULL)
		message_fail(message, "no memory to fetch captured frames");
	else if (act(message, &action)) {
		struct instant now = clock_now();
		struct capture_fetch_reply reply = {
			.now_ticks = now.ticks, .now_monotonic_ns = now.ns,
			.frames = action.frames, .left = (uint32_t)action.reply.count,
		};
		message_append(message, &reply, sizeof(reply));
		message_append(message, action.room, action.used);
	}
	free(action.room);
}

struct listing {
	struct capture_reply replies[MAX_CAPTURES_LISTED];
	uint32_t count;
};

/* Poll thread. */
static void list_now(void *argument)
{
	struct listing *listing = argument;
	listing->count = capture_list(listing->replies, MAX_CAPTURES_LISTED);
}

void control_capture_status(struct message *message)
{
	struct listing listing = {.count = 0};
	poll_run(list_now, &listing);
	message_append(message, listing.replies, listing.count * sizeof(listing.replies[0]));
}
