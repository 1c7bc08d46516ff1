#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"

static bool read_all(int fd, void *to, size_t size)
{
	for (uint8_t *at = to; size != 0;) {
		ssize_t n = read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t size)
{
	for (const uint8_t *at = from; size != 0;) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

const void *message_request(struct message *message, size_t size)
{
	if (message->request_length >= size)
		return message->request;
	message_fail(message, "request %u has %u bytes instead of %zu", message->op, message->request_length, size);
	return NULL;
}

void *message_append(struct message *message, const void *from, size_t size)
{
	size_t needed = (size_t)message->reply_length + size;
	if (needed > message->reply_room) {
		size_t room = 2 * needed + 256;
		uint8_t *larger = realloc(message->reply, room);
		if (larger == NULL)
			abort();
		message->reply = larger;
		message->reply_room = (uint32_t)room;
	}
	void *place = message->reply + message->reply_length;
	if (from != NULL)
		memcpy(place, from, size);
	else
		memset(place, 0, size);
	message->reply_length = (uint32_t)needed;
	return place;
}

void message_fail(struct message *message, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	message->status = -1;
	message->reply_length = 0;
	message_append(message, text, strlen(text));
}

bool message_receive(int fd, struct message *message)
{
	struct header header;
	uint8_t *request = (uint8_t *)(uintptr_t)message->request;
	if (!read_all(fd, &header, sizeof(header)) || header.length > MAX_PAYLOAD)
		return false;
	request = realloc(request, header.length + 1u);
	if (request == NULL)
		return false;
	message->request = request;
	message->op = header.op;
	message->request_length = header.length;
	message->status = 0;
	message->reply_length = 0;
	return read_all(fd, request, header.length);
}

bool message_answer(int fd, const struct message *message)
{
	struct header header = {.op = message->op, .status = message->status, .length = message->reply_length};
	return write_all(fd, &header, sizeof(header)) && write_all(fd, message->reply, message->reply_length);
}
