// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks and counters of a process, and the spinner.
 *
 * CPU time in all is exact. How it divides into user and system is only known from ticks.
 */
#include "zcbench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t = {};

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

uint64_t now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void read_meter(const struct round *r, struct meter *m)
{
	struct rusage usage;
	clockid_t clock;

	getrusage(RUSAGE_SELF, &usage);
	m->system = usage.ru_stime.tv_sec * 1000000000ull + usage.ru_stime.tv_usec * 1000ull;
	m->switches = usage.ru_nvcsw + usage.ru_nivcsw;
	m->cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	m->idle = 0;
	if (r->end->spinner && !clock_getcpuclockid(r->end->spinner, &clock))
		m->idle = read_clock(clock);
	m->now = now();
}

struct meter passed(const struct meter *from, const struct meter *to)
{
	struct meter m = {
		.now = to->now - from->now,
		.cpu = to->cpu - from->cpu,
		.system = to->system - from->system,
		.idle = to->idle - from->idle,
		.switches = to->switches - from->switches,
	};

	if (m.system > m.cpu)
		m.system = m.cpu;
	return m;
}

long idle_of(const struct round *r, const struct meter *m)
{
	return r->end->spinner ? (long)m->idle : -1;
}

/*
 * Runs whenever nothing else wants to, until it is killed; its CPU time is the time that is left
 * over. A guest whose CPU never halts has a clock that never jumps. The file is there when this
 * returns to whoever called the program.
 */
void spin(const char *file)
{
	struct sched_param param = {};
	FILE *out = fopen(file, "w");
	pid_t pid;

	/* inherited */
	if (!out || sched_setscheduler(0, SCHED_IDLE, &param))
		exit(3);
	pid = fork();
	if (pid) {
		if (pid == -1 || fprintf(out, "%d\n", pid) < 0 || fclose(out))
			exit(3);
		exit(0);
	}
	setsid();
	for (pid = 0; pid < 64; pid++)
		close(pid);
	for (;;)
		asm volatile("");
}
