// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost_net [NAME...]	run the tests, or those named (as patterns of fnmatch(3))
 * vhost_net --list [NAME...]	their names
 * vhost_net serve	an end, in the guest
 * vhost_net bench	rounds of its standard input (bench.c)
 *
 * Wants KZC_IMAGE and KZC_INITRD, the guest's; of the card's wires see find_card().
 */
#include "vhost_net.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES	3

static char notes[1024], words[256];

unsigned int slowdown(void)
{
	const char *text = getenv("KZC_SLOWDOWN");
	int value = text ? atoi(text) : 4;

	/* a guest in an emulated guest takes twice as long again */
	return value > 1 ? 2 * value : 1;
}

bool by_instructions(void)
{
	return getenv("KZC_COUNTED");
}

double patience(double seconds)
{
	return by_instructions() ? COUNTED : seconds * slowdown();
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void pause_ms(int ms)
{
	usleep(1000 * ms);
}

const char *because(const char *fmt, ...)
{
	static char text[2][LINE];
	static int turn;
	va_list args;
	char *c;

	turn = !turn;
	va_start(args, fmt);
	vsnprintf(text[turn], LINE, fmt, args);
	va_end(args);
	for (c = text[turn]; *c; c++) {
		if (*c == '#' || *c == '\n')
			*c = ' ';
	}
	return text[turn];
}

void note(const char *key, const char *fmt, ...)
{
	size_t len = strlen(notes);
	char value[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	snprintf(notes + len, sizeof(notes) - len, "#:%s: %s\n", key, value);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
}

bool zerocopy(void)
{
	static int on = -1;
	FILE *f;

	if (on == -1) {
		f = fopen("/sys/module/vhost_net/parameters/experimental_zcopytx", "r");
		if (!f || fscanf(f, "%d", &on) != 1)
			on = 0;
		if (f)
			fclose(f);
	}
	return on;
}

/* Whether the kernel was told to, and all of the suite could be copied all the same. */
static bool told_in_vain(void)
{
	return !shell("grep -qw vhost_net.experimental_zcopytx=1 /proc/cmdline") && !zerocopy();
}

/* A guest that the emulation lost is no verdict; one that panicked says so in the kernel log. */
static const char *run(const struct test *t)
{
	static char text[LINE];
	const char *why;
	int attempt;

	for (attempt = 1;; attempt++) {
		unsigned int before = boots;

		notes[0] = words[0] = '\0';
		if (!t->alone && !boot_guest(text, sizeof(text)))
			return text;
		if (boots != before)
			note("boot_ms", "%.0f", 1000 * boot_seconds);
		why = t->run(t);
		if (!why || guest.fd == -1 || attempt == TRIES || alive(&guest))
			break;
		printf("# the guest was lost in %s, attempt %d: %s\n", t->name, attempt, why);
		fflush(stdout);
		lost++;
		let_go(TAP);
		let_go(MACVTAP);
		kill_guest();
	}
	if (attempt > 1)
		note("attempts", "%d", attempt);
	return why;
}

static bool wanted(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!fnmatch(argv[i], name, 0))
			return true;
	}
	return argc < 2;
}

/* Each pattern has to fit a case. */
static bool all_fit(int argc, char **argv, const struct test *tests, size_t count)
{
	size_t at;
	int i;

	for (i = 1; i < argc; i++) {
		for (at = 0; at < count && fnmatch(argv[i], tests[at].name, 0); at++)
			;
		if (at == count) {
			fprintf(stderr, "there is no case %s\n", argv[i]);
			return false;
		}
	}
	return true;
}

static bool ready(void)
{
	char why[256] = "";

	if (!getenv("KZC_IMAGE") || !getenv("KZC_INITRD"))
		snprintf(why, sizeof(why), "there is no second level: --guest mini has none");
	else if (access("/dev/vhost-net", R_OK | W_OK))
		snprintf(why, sizeof(why), "there is no /dev/vhost-net (CONFIG_VHOST_NET)");
	else if (shell("command -v qemu-system-x86_64 ip tc taskset >/dev/null"))
		snprintf(why, sizeof(why), "ip, tc, taskset and qemu-system-x86_64 are needed");
	if (!why[0] && can_count(why, sizeof(why)))
		return true;
	printf("1..0 # SKIP %s\n", why);
	return false;
}

/* Whether the last guest's QEMU cannot be ended: no case gets another one then. */
static bool stays(void)
{
	return guest.fd == -1 && !guest_gone(2);
}

static int run_all(int argc, char **argv, const struct test *tests, size_t count)
{
	int number = 0, bad = 0, plan = 0;
	size_t i;

	for (i = 0; i < count; i++)
		plan += wanted(argc, argv, tests[i].name);
	printf("1..%d\n", plan);
	fflush(stdout);
	if (told_in_vain()) {
		printf("Bail out! experimental_zcopytx=1 was asked for, and the kernel does not have it on\n");
		return 1;
	}
	make_ways();
	for (i = 0; i < count; i++) {
		double began = now();
		const char *why;

		if (!wanted(argc, argv, tests[i].name))
			continue;
		why = run(&tests[i]);
		printf("%s", notes);
		printf("%s %d %s # time=%.2fs", why ? "not ok" : "ok", ++number, tests[i].name,
		       now() - began);
		if (why || words[0])
			printf(" # %s", why ? why : words);
		printf("\n");
		fflush(stdout);
		bad += !!why;
		if (why && number < plan && stays()) {
			printf("Bail out! the guest's QEMU cannot be ended after %s\n", tests[i].name);
			tell_console();
			return 1;
		}
	}
	kill_guest();
	guest_gone(10);
	tell_console();
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct test tests[MOST_TESTS];
	size_t count, i;
	bool lists;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], "serve"))
		serve(1);
	if (argc > 1 && !strcmp(argv[1], "bench"))
		return bench();
	count = data_tests(tests);
	count += fault_tests(tests + count);
	lists = argc > 1 && !strcmp(argv[1], "--list");
	if (lists) {
		argc--;
		argv++;
	}
	if (!all_fit(argc, argv, tests, count))
		return 2;
	for (i = 0; lists && i < count; i++) {
		if (wanted(argc, argv, tests[i].name))
			printf("%s\n", tests[i].name);
	}
	if (lists)
		return 0;
	printf("KTAP version 1\n");
	return ready() ? run_all(argc, argv, tests, count) : 4;
}
