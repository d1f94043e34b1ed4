// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner of ktap.h. A test has a process group, so that what it leaves behind is killed with
 * it, and a page that it shares with the runner for its reason.
 */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zc.h"

#define FAILED	1
#define KNOWN	2
#define SKIPPED	4

static struct {
	char text[512];
} *reason;

unsigned int ktap_slowdown(void)
{
	const char *text = getenv("KZC_SLOWDOWN");
	int value = text ? atoi(text) : 1;

	return value > 1 ? value : 1;
}

static void say(const char *fmt, va_list args)
{
	char *c;

	/* the first reason is the one */
	if (reason->text[0])
		return;
	vsnprintf(reason->text, sizeof(reason->text), fmt, args);
	for (c = reason->text; *c; c++) {
		if (*c == '\n' || *c == '#')
			*c = ' ';
	}
}

void ktap_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	_exit(FAILED);
}

void ktap_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	_exit(SKIPPED);
}

void ktap_known(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	_exit(KNOWN);
}

void ktap_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

/* The wait status, or -1 after @seconds. */
static int run(const struct ktap_test *test, const struct zc_transport *t, unsigned int seconds)
{
	struct pollfd ended = { .events = POLLIN };
	int status = -1;
	pid_t pid;

	fflush(stdout);
	memset(reason, 0, sizeof(*reason));
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		test->run(t);
		fflush(stdout);
		_exit(0);
	}
	setpgid(pid, pid);
	ended.fd = syscall(SYS_pidfd_open, pid, 0);
	if (poll(&ended, 1, 1000 * seconds) == 1)
		waitpid(pid, &status, 0);
	kill(-pid, SIGKILL);
	if (status == -1)
		waitpid(pid, NULL, 0);
	close(ended.fd);
	return status;
}

static bool result(int number, const char *name, int status)
{
	bool ended = status != -1 && WIFEXITED(status);
	int code = ended ? WEXITSTATUS(status) : -1;

	if (ended && !code)
		printf("ok %d %s\n", number, name);
	else if (code == SKIPPED)
		printf("ok %d %s # SKIP %s\n", number, name, reason->text);
	else if (code == KNOWN)
		printf("not ok %d %s # XFAIL %s\n", number, name, reason->text);
	else if (code == FAILED)
		printf("not ok %d %s # %s\n", number, name, reason->text);
	else if (ended)
		printf("not ok %d %s # ended with %d\n", number, name, code);
	else if (status == -1)
		printf("not ok %d %s # TIMEOUT\n", number, name);
	else
		printf("not ok %d %s # killed by signal %d\n", number, name, WTERMSIG(status));
	fflush(stdout);
	return !code || code == SKIPPED || code == KNOWN;
}

static bool wanted(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
	}
	return argc < 2;
}

enum pass { COUNT, LIST, RUN };

/* The number of tests seen, or for RUN of those that are not good. */
static int each(enum pass pass, int argc, char **argv, const struct ktap_test *tests, size_t count,
		unsigned int seconds)
{
	int number = 0, bad = 0;
	char name[128];
	unsigned int i;
	size_t k;

	for (k = 0; k < count; k++) {
		for (i = 0; i < ZC_TRANSPORTS; i++) {
			const struct zc_transport *t = tests[k].on ? &zc_transports[i] : NULL;

			if (t ? !(tests[k].on & 1u << i) : i > 0)
				continue;
			snprintf(name, sizeof(name), t ? "%s/%s" : "%s", tests[k].name,
				 t ? t->name : "");
			if (pass != LIST && !wanted(argc, argv, name))
				continue;
			number++;
			if (pass == LIST)
				printf("%s\n", name);
			else if (pass == RUN &&
				 !result(number, name, run(&tests[k], t, seconds)))
				bad++;
		}
	}
	return pass == RUN ? bad : number;
}

int ktap_main(int argc, char **argv, const struct ktap_test *tests, size_t count,
	      unsigned int seconds)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		each(LIST, argc, argv, tests, count, seconds);
		return 0;
	}
	reason = mmap(NULL, sizeof(*reason), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	printf("KTAP version 1\n1..%d\n", each(COUNT, argc, argv, tests, count, seconds));
	return each(RUN, argc, argv, tests, count, seconds * ktap_slowdown()) ? 1 : 0;
}
