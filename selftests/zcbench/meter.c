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
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/perf_event.h>

#define MOST_CPUS	64

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

static int own_cycles = -1, cpu_cycles[MOST_CPUS];
static unsigned int cpus;

static int open_cycles(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
	};

	return syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

void count_cycles(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	own_cycles = open_cycles(0, -1);
	if (own_cycles == -1 || online > MOST_CPUS)
		return;
	for (cpus = 0; cpus < online; cpus++) {
		cpu_cycles[cpus] = open_cycles(-1, cpus);
		if (cpu_cycles[cpus] == -1)
			break;
	}
	/* a part of the CPUs is nothing */
	if (cpus < online)
		cpus = 0;
}

static int64_t read_cycles(int fd)
{
	int64_t value;

	return fd != -1 && read(fd, &value, sizeof(value)) == sizeof(value) ? value : -1;
}

static int64_t read_all_cycles(void)
{
	int64_t sum = 0, value;
	unsigned int i;

	for (i = 0; i < cpus; i++) {
		value = read_cycles(cpu_cycles[i]);
		if (value == -1)
			return -1;
		sum += value;
	}
	return cpus ? sum : -1;
}

static int64_t counted(int64_t from, int64_t to)
{
	return from == -1 || to == -1 ? -1 : to - from;
}

void read_meter(const struct round *r, struct meter *m)
{
	struct rusage usage;
	clockid_t clock;

	getrusage(RUSAGE_SELF, &usage);
	m->system = usage.ru_stime.tv_sec * 1000000000ull + usage.ru_stime.tv_usec * 1000ull;
	m->switches = usage.ru_nvcsw + usage.ru_nivcsw;
	m->cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	m->cycles = read_cycles(own_cycles);
	m->all_cycles = read_all_cycles();
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
		.cycles = counted(from->cycles, to->cycles),
		.all_cycles = counted(from->all_cycles, to->all_cycles),
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
