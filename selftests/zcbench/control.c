// SPDX-License-Identifier: GPL-2.0-only
/* The control connection of a round, and how a round fails: see zcbench.h. */
#include "zcbench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct round *current;
static volatile sig_atomic_t late;

static void time_is_up(int signal)
{
	(void)signal;
	late = 1;
}

void begin(const struct round *r)
{
	/* not restarted: what waits then fails with EINTR */
	struct sigaction action = { .sa_handler = time_is_up };

	current = r;
	sigaction(SIGALRM, &action, NULL);
	alarm(r->cell->seconds);
}

void tell(const char *fmt, ...)
{
	char line[4 * LINE];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line) - 1)
		fail(false, "a line of %d bytes", len);
	line[len++] = '\n';
	if (send(current->control, line, len, MSG_NOSIGNAL) != len)
		fail(false, "the control connection broke: %m");
}

bool listens(int ms)
{
	struct pollfd p = { .fd = current->control, .events = POLLIN };

	return must(poll(&p, 1, ms)) == 1;
}

/* What the peer says next; false when it is gone. */
static bool read_line(char *line)
{
	size_t len = 0;

	while (len < 4 * LINE - 1) {
		if (read(current->control, line + len, 1) != 1)
			return false;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return true;
}

static void __attribute__((noreturn)) end(bool lacks, const char *reason)
{
	alarm(0);
	if (current->end->leads)
		print_failure(current->cell->number, lacks, reason);
	else
		dprintf(current->control, "error %d %s\n", lacks, reason);
	_exit(late ? LATE : 1);
}

static bool is_error(const char *line)
{
	return !strncmp(line, "error ", 6);
}

static void __attribute__((noreturn)) end_as(const char *line)
{
	end(line[6] == '1', line + 8);
}

void hear(char *line)
{
	do {
		if (!read_line(line)) {
			if (late)
				fail(false, "no end");
			fail(false, "the other end is gone");
		}
	} while (line[0] == 'k');
	if (is_error(line))
		end_as(line);
}

void tell_window(void)
{
	if (send(current->control, "k\n", 2, MSG_NOSIGNAL) != 2)
		fail(false, "the control connection broke: %m");
}

void hear_window(void)
{
	char line[2];

	if (read(current->control, line, 2) != 2 || line[0] != 'k')
		fail(false, "the receiver is gone");
}

void fail(bool lacks, const char *fmt, ...)
{
	/* a connection breaks because its other end has failed: that one knows why */
	bool broken = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
	struct pollfd p = { .fd = current->control, .events = POLLIN };
	char reason[LINE], line[4 * LINE];
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	len = strlen(reason);
	if (late)
		snprintf(reason + len, sizeof(reason) - len, " (not over after %u s)",
			 current->cell->seconds);
	while (!late && poll(&p, 1, broken ? 1000 : 0) == 1 && read_line(line)) {
		if (is_error(line))
			end_as(line);
	}
	end(lacks, reason);
}

void print_failure(long number, bool lacks, const char *reason)
{
	char line[2 * LINE];
	size_t len;

	len = snprintf(line, sizeof(line), "{\"round\":%ld,\"lacks\":%s,\"error\":\"", number,
		       lacks ? "true" : "false");
	for (; *reason && len < sizeof(line) - 8; reason++) {
		if (*reason == '"' || *reason == '\\')
			line[len++] = '\\';
		line[len++] = *reason < ' ' ? ' ' : *reason;
	}
	len += sprintf(line + len, "\"}\n");
	if (write(STDOUT_FILENO, line, len) != (ssize_t)len)
		_exit(2);
}
