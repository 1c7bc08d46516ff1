/* One request and the reply that grows while it is answered. */
#ifndef VTREX_MESSAGE_H
#define VTREX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
	uint32_t op;
	const uint8_t *request;
	uint32_t request_length;
	int32_t status;
	uint8_t *reply;
	uint32_t reply_length, reply_room;
};

/* The fixed part of the request if it is `size` bytes or longer, otherwise NULL and the reply says so. */
const void *message_request(struct message *message, size_t size);

/* Append to the reply; the place is valid until the next call. */
void *message_append(struct message *message, const void *from, size_t size);

/* Replace the reply by a text and a status other than 0. */
__attribute__((format(printf, 2, 3))) void message_fail(struct message *message, const char *format, ...);

/* Read a request from a stream socket, write its reply. False when the peer is gone. */
bool message_receive(int fd, struct message *message);
bool message_answer(int fd, const struct message *message);

#endif
