#define _GNU_SOURCE /* memfd_create, strcasestr */
#include "startup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <rte_common.h>

#include "message.h"
#include "protocol.h"

static int server_fd;
static int kept_fd = -1, stderr_fd = -1; /* what is written meanwhile, and where it would go */

void startup_tell(int control_fd) { server_fd = control_fd; }

void startup_quiet(void)
{
	kept_fd = memfd_create("stderr", MFD_CLOEXEC);
	stderr_fd = dup(STDERR_FILENO);
	if (kept_fd >= 0 && stderr_fd >= 0)
		dup2(kept_fd, STDERR_FILENO);
}

void startup_loud(void)
{
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	close(kept_fd);
	stderr_fd = kept_fd = -1;
}

/* Find the first line that complains, or else the first one; returns an empty text when nothing was written. */
static const char *complaint(char *text, size_t size)
{
	static const char *const words[] = {"fail", "error", "cannot", "could not", "unable", "invalid", "no such"};
	ssize_t length = kept_fd < 0 ? 0 : pread(kept_fd, text, size - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n")) != NULL)
		for (size_t i = 0; i < RTE_DIM(words); i++)
			if (strcasestr(line, words[i]) != NULL)
				return line;
	return text;
}

bool startup_failed(const char *format, ...)
{
	char text[384], kept[4096];
	struct message message = {.op = OP_HELLO};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	const char *line = complaint(kept, sizeof(kept));
	message_fail(&message, "%s%s%s", text, line[0] == '\0' ? "" : ": ", line);
	message_answer(server_fd, &message);
	return false;
}
