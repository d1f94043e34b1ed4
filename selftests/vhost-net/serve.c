// SPDX-License-Identifier: GPL-2.0-only
/*
 * An end: takes a line "NUMBER WHAT ...", does it in a process of its own, and answers with lines
 * that begin with the number. Another line ends what is still being done.
 *
 *	N recv PROTOCOL IP SIZE COUNT			ready PORT, then got BYTES SUM
 *	N send PROTOCOL IP PORT SIZE COUNT SEED		sent BYTES SUM
 *	N sink PROTOCOL IP SIZE COUNT SPINNER		ready PORT, then got BYTES TIME IDLE HOST
 *	N blast PROTOCOL IP PORT SIZE COUNT		blasted
 *	N echo PROTOCOL IP SIZE				ready PORT
 *	N trips PROTOCOL IP PORT SIZE COUNT		trips P50 P90 P99 MAX
 *	N sh COMMAND					did STATUS
 *	N ping						pong
 */
#include "vhost_net.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int answers_to;
static unsigned int number;

static void say_line(const char *fmt, va_list args)
{
	char line[LINE];
	int len = snprintf(line, sizeof(line), "%u ", number);

	len += vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	if (len > LINE - 2)
		len = LINE - 2;
	line[len++] = '\n';
	if (write(answers_to, line, len) != len)
		_exit(1);
}

static void tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_line(fmt, args);
	va_end(args);
}

static void fail(const char *fmt, ...)
{
	char text[LINE / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tell("failed %s", text);
	_exit(0);
}

static void __attribute__((noreturn)) run(const char *what)
{
	struct transfer t = { 0 };
	char protocol[8], ip[32];
	struct sum s;
	int port, status, spinner;

	if (sscanf(what, "recv %7s %31s %zu %u", protocol, ip, &t.size, &t.count) == 4) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		s = receive_all(&t, ip, fail, tell);
		tell("got %llu %llx", s.bytes, (unsigned long long)s.value);
	} else if (sscanf(what, "send %7s %31s %d %zu %u %u", protocol, ip, &port, &t.size,
			  &t.count, &t.seed) == 6) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		s = send_all(&t, ip, port, fail);
		tell("sent %llu %llx", s.bytes, (unsigned long long)s.value);
	} else if (sscanf(what, "sink %7s %31s %zu %u %d", protocol, ip, &t.size, &t.count,
			  &spinner) == 5) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		sink(&t, ip, spinner, fail, tell);
	} else if (sscanf(what, "blast %7s %31s %d %zu %u", protocol, ip, &port, &t.size,
			  &t.count) == 5) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		blast_all(&t, ip, port, fail, tell);
	} else if (sscanf(what, "echo %7s %31s %zu", protocol, ip, &t.size) == 3) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		echo(&t, ip, fail, tell);
	} else if (sscanf(what, "trips %7s %31s %d %zu %u", protocol, ip, &port, &t.size,
			  &t.count) == 5) {
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		make_trips(&t, ip, port, fail, tell);
	} else if (!strncmp(what, "sh ", 3)) {
		/* what it prints would be taken for an answer */
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(1);
		status = system(what + 3);
		tell("did %d", WIFEXITED(status) ? WEXITSTATUS(status) : 255);
	} else {
		tell("pong");
	}
	_exit(0);
}

void serve(int fd)
{
	FILE *in = fdopen(dup(fd), "r");
	pid_t child = 0;
	char line[LINE];

	answers_to = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	signal(SIGPIPE, SIG_IGN);
	while (in && fgets(line, sizeof(line), in)) {
		char *what;

		line[strcspn(line, "\n")] = '\0';
		number = strtoul(line, &what, 10);
		if (what == line || *what != ' ')
			continue;
		if (child) {
			kill(-child, SIGKILL);
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
		}
		child = fork();
		if (!child) {
			setpgid(0, 0);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			run(what + 1);
		}
	}
	if (child > 0)
		kill(-child, SIGKILL);
	_exit(0);
}
