// SPDX-License-Identifier: GPL-2.0-only
/* Talking to an end: requests with a number, and the answers to the last of them. */
#include "vhost_net.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct end guest = { .name = "the guest", .fd = -1 };
struct end far[WAYS] = {
	[TAP] = { .name = "the far side of the tap", .fd = -1 },
	[MACVTAP] = { .name = "the far side of the macvtap", .fd = -1 },
	[LOCAL] = { .name = "the host", .fd = -1 },
};

void ask(struct end *e, const char *fmt, ...)
{
	char line[LINE];
	va_list args;
	int len = snprintf(line, sizeof(line), "%u ", ++e->number);

	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	va_end(args);
	if (len > LINE - 2)
		len = LINE - 2;
	line[len++] = '\n';
	/* one that is gone does not answer either, which is seen then */
	if (e->fd != -1 && write(e->fd, line, len) != len)
		e->have = 0;
}

/* The next line that the end said, whatever it is. */
static bool next_line(struct end *e, char *line, double until)
{
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	char *newline;
	ssize_t got;

	for (;;) {
		newline = memchr(e->buffer, '\n', e->have);
		if (newline) {
			size_t len = newline - e->buffer;

			snprintf(line, LINE, "%.*s", (int)len, e->buffer);
			e->have -= len + 1;
			memmove(e->buffer, newline + 1, e->have);
			return true;
		}
		if (e->have == sizeof(e->buffer))
			e->have = 0;
		if (e->fd == -1 || now() >= until)
			return false;
		if (poll(&p, 1, 1 + 1000 * (until - now())) < 1)
			continue;
		got = read(e->fd, e->buffer + e->have, sizeof(e->buffer) - e->have);
		if (got <= 0)
			return false;
		e->have += got;
	}
}

bool answer(struct end *e, char *line, double seconds)
{
	double until = now() + patience(seconds);
	char said[LINE], *rest;

	while (next_line(e, said, until)) {
		if (strtoul(said, &rest, 10) != e->number || rest == said || *rest != ' ')
			continue;
		snprintf(line, LINE, "%s", rest + 1);
		return true;
	}
	snprintf(line, LINE, "nothing was heard in %.1f s", patience(seconds));
	return false;
}

bool await(struct end *e, const char *text, double seconds)
{
	double until = now() + seconds * slowdown();
	char said[LINE];

	while (next_line(e, said, until)) {
		if (!strcmp(said, text))
			return true;
	}
	return false;
}

int shell_at(struct end *e, double seconds, const char *fmt, ...)
{
	char command[LINE / 2], line[LINE];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	ask(e, "sh %s", command);
	return answer(e, line, seconds) && sscanf(line, "did %d", &status) == 1 ? status : -1;
}

bool alive(struct end *e)
{
	char line[LINE];

	ask(e, "ping");
	return answer(e, line, 5);
}
