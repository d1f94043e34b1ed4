// SPDX-License-Identifier: GPL-2.0-only
/*
 * What frames cost the host: lines "NUMBER PROTOCOL WAY SIZE MESSAGES WARMUP" in, JSON out, two
 * lines for each as zcbench has them, or one that says why there are none.
 *
 * Where instructions are counted (KZC_COUNTED) a spinner takes all that is left of the one CPU, so
 * that it never halts, and the receiver's time is without it. The guest and vhost-net's threads then
 * go on until they have to wait, whatever the clock says. This program goes before them, so that a
 * guest that emulated SVM lost, which may spin, is seen: its round is measured again. A watchman ends
 * such a guest where this program waits for a worker of the kernel's, which goes after it.
 *
 * Frames are counted during the warm-up only, as each probe costs what is to be measured. Of the
 * messages after it the receiver tells time, idle time and the CPU time of vhost-net's threads,
 * which are in a cgroup of their own for that. Then come requests, answered with one byte.
 */
#include "vhost_net.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TRIPS	32
#define TRIES	4
#define ROUND	500	/* ms that no counted round takes */

static pid_t spinner;
static int watchman = -1;

/* Runs when nothing else does: a CPU that counts its instructions never halts then. */
static void spin(void)
{
	struct sched_param none = { 0 };

	spinner = fork();
	if (spinner)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setscheduler(0, SCHED_IDLE, &none);
	for (;;)
		asm volatile("");
}

static void go_first(void)
{
	struct sched_param second = { .sched_priority = 2 };

	sched_setscheduler(0, SCHED_RR, &second);
}

/* Takes the guest of each round that begins, 0 when it is over. */
static void watch(void)
{
	struct pollfd told = { .events = POLLIN };
	pid_t pid = 0;
	int ends[2];

	if (pipe(ends))
		return;
	if (fork()) {
		close(ends[0]);
		watchman = ends[1];
		fcntl(watchman, F_SETFD, FD_CLOEXEC);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(ends[1]);
	told.fd = ends[0];
	for (;;) {
		if (!poll(&told, 1, pid ? ROUND : -1)) {
			kill(pid, SIGKILL);
			pid = 0;
		} else if (read(told.fd, &pid, sizeof(pid)) != sizeof(pid)) {
			_exit(0);
		}
	}
}

static void tell_watchman(pid_t pid)
{
	if (watchman != -1 && write(watchman, &pid, sizeof(pid)) != sizeof(pid))
		watchman = -1;
}

/* vhost-net's threads are told apart from the guest. */
static bool prepare_guest(void)
{
	const char *turns = spinner ? "chrt --rr --pid 1" : ":";

	return !shell("[ -e /sys/fs/cgroup/cgroup.procs ] || mount -t cgroup2 none /sys/fs/cgroup; "
		      "mkdir -p " VHOST_GROUP "/vhost && cd " VHOST_GROUP " && "
		      "echo threaded >vhost/cgroup.type && echo %d >cgroup.procs && "
		      "found=; for t in /proc/%d/task/* /proc/[0-9]*; do read -r n <$t/comm 2>/dev/null; "
		      "case $n in vhost-*) echo ${t##*/} >vhost/cgroup.threads && found=1; "
		      "%s ${t##*/};; esac; done; for t in /proc/%d/task/*; do %s ${t##*/}; done; "
		      "[ \"$found\" ]", guest.pid, guest.pid, turns, guest.pid, turns);
}

static const char *ready_guest(void)
{
	static char why[256];

	if (guest.fd != -1 && alive(&guest))
		return NULL;
	if (!boot_guest(why, sizeof(why)))
		return why;
	return prepare_guest() ? NULL : "vhost-net's threads have no cgroup (CONFIG_CGROUPS, version 2)";
}

/* Messages to the far side; what came of it is in @line, or why it failed. */
static const char *blast(const struct transfer *t, enum way way, char *line)
{
	const char *protocol = t->protocol == TCP ? "tcp" : "udp";
	char said[LINE];
	int port;

	ask(&far[way], "sink %s 10.9.%d.1 %zu %u %d", protocol, way, t->size, t->count, spinner);
	if (!answer(&far[way], line, 10) || sscanf(line, "ready %d", &port) != 1)
		return because("%s: %.200s", far[way].name, line);
	ask(&guest, "blast %s 10.9.%d.1 %d %zu %u", protocol, way, port, t->size, t->count);
	if (!answer(&guest, said, 60) || strcmp(said, "blasted"))
		return because("%s: %.200s", guest.name, said);
	if (!answer(&far[way], line, 60) || strncmp(line, "got ", 4))
		return because("%s: %.200s", far[way].name, line);
	return NULL;
}

static const char *trips(const struct transfer *t, enum way way, char *line)
{
	const char *protocol = t->protocol == TCP ? "tcp" : "udp";
	int port;

	ask(&far[way], "echo %s 10.9.%d.1 %zu", protocol, way, t->size);
	if (!answer(&far[way], line, 10) || sscanf(line, "ready %d", &port) != 1)
		return because("%s: %.200s", far[way].name, line);
	ask(&guest, "trips %s 10.9.%d.1 %d %zu %d", protocol, way, port, t->size, TRIPS);
	if (!answer(&guest, line, 60) || strncmp(line, "trips ", 6))
		return because("%s: %.200s", guest.name, line);
	return NULL;
}

static const char *round_of(long number, struct transfer *t, enum way way, unsigned int warmup)
{
	unsigned long long bytes, whole, idle, host, p[4];
	struct transfer warm = *t;
	char line[LINE] = "", why[128];
	struct counts before, c;
	const char *bad;

	warm.count = warmup;
	if (!can_count(why, sizeof(why)))
		return because("%s", why);
	before = counts();
	bad = blast(&warm, way, line);
	if (bad)
		return bad;
	pending(0, 5);
	c = since(&before);
	count_no_more();
	bad = blast(t, way, line);
	if (bad)
		return bad;
	if (sscanf(line, "got %llu %llu %llu %llu", &bytes, &whole, &idle, &host) != 4)
		return because("%.200s", line);
	bad = trips(t, way, line);
	if (bad)
		return bad;
	if (sscanf(line, "trips %llu %llu %llu %llu", p, p + 1, p + 2, p + 3) != 4)
		return because("%.200s", line);
	printf("{\"round\":%ld,\"side\":\"sender\",\"messages\":%u,\"bytes\":%llu,\"send\":0,"
	       "\"whole\":%llu,\"user\":0,\"system\":0,\"calls\":0,\"switches\":0,"
	       "\"zerocopied\":%ld,\"copied\":%ld,\"enobufs\":0,\"host\":%llu,\"idle\":%llu,"
	       "\"latency\":{\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"max\":%llu}}\n",
	       number, t->count, (unsigned long long)t->size * t->count, whole, c.zerocopied,
	       c.copied, host, idle, p[0], p[1], p[2], p[3]);
	printf("{\"round\":%ld,\"side\":\"receiver\",\"bytes\":%llu,\"whole\":%llu,\"user\":0,"
	       "\"system\":0,\"calls\":0,\"switches\":0}\n", number, bytes, whole - idle);
	return NULL;
}

/* Again where emulated SVM lost the guest; nobody else counts, and a hang under KVM is a failure. */
static const char *measure(long number, struct transfer *t, enum way way, unsigned int warmup)
{
	const char *bad;
	int attempt;

	for (attempt = 1;; attempt++) {
		bad = ready_guest();
		if (bad)
			return bad;
		tell_watchman(guest.pid);
		bad = round_of(number, t, way, warmup);
		tell_watchman(0);
		if (!bad || !by_instructions() || attempt == TRIES || alive(&guest))
			return bad;
		printf("# the guest was lost in round %ld, attempt %d: %s\n", number, attempt, bad);
		fflush(stdout);
		kill_guest();
	}
}

int bench(void)
{
	char line[LINE], protocol[8], way[16];
	struct transfer t = { 0 };
	unsigned int warmup;
	const char *bad;
	long number;
	int w;

	if (by_instructions()) {
		spin();
		go_first();
		watch();
	}
	make_ways();
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%ld %7s %15s %zu %u %u", &number, protocol, way, &t.size,
			   &t.count, &warmup) != 6)
			continue;
		t.protocol = strcmp(protocol, "tcp") ? UDP : TCP;
		w = strcmp(way, "macvtap") ? TAP : MACVTAP;
		bad = measure(number, &t, w, warmup);
		if (bad)
			printf("{\"round\":%ld,\"error\":\"%s\"}\n", number, bad);
		fflush(stdout);
	}
	kill_guest();
	guest_gone(10);
	tell_console();
	if (spinner)
		kill(spinner, SIGKILL);
	return 0;
}
