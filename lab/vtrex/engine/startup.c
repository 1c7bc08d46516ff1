#define _GNU_SOURCE /* fopencookie */
#include "startup.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <rte_log.h>

#include "message.h"
#include "protocol.h"

static int server_fd;
static atomic_bool keeping;
static char first_line[256]; /* empty: nothing has been said */

/* The log's destination for good, as drivers' threads may write at any time. */
static ssize_t say(void *unused, const char *text, size_t length)
{
	(void)unused;
	if (!atomic_load(&keeping))
		return (ssize_t)fwrite(text, 1, length, stderr);
	if (first_line[0] == '\0') {
		snprintf(first_line, sizeof(first_line), "%.*s", (int)length, text);
		first_line[strcspn(first_line, "\n")] = '\0';
	}
	return (ssize_t)length;
}

void startup_begin(int control_fd)
{
	server_fd = control_fd;
	FILE *log = fopencookie(NULL, "w", (cookie_io_functions_t){.write = say});
	if (log == NULL)
		return;
	setlinebuf(log);
	atomic_store(&keeping, true);
	rte_openlog_stream(log);
}

void startup_done(void) { atomic_store(&keeping, false); }

bool startup_failed(const char *format, ...)
{
	char text[512];
	struct message message = {.op = OP_HELLO};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	message_fail(&message, "%s%s%s", text, first_line[0] == '\0' ? "" : ": ", first_line);
	message_answer(server_fd, &message);
	return false;
}
