// SPDX-License-Identifier: GPL-2.0-only
/* The messages of the bench: alike, as only their way is to be measured. */
#include "vhost_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW	16	/* datagrams after which the sender waits for the receiver */

static uint8_t data[1 << 20];

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? 0 : t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* CPU time of vhost-net's threads, in ns; exact to a microsecond. */
static uint64_t host_time(void)
{
	unsigned long long value = 0;
	char line[128];
	FILE *f = fopen(VHOST_GROUP "/vhost/cpu.stat", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "usage_usec %llu", &value) == 1)
			break;
	}
	if (f)
		fclose(f);
	return 1000 * value;
}

static void wait_for(int fd, short events, teller fail)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, 1000 * patience(20)) != 1)
		fail("nothing came for %.1f s", patience(20));
}

static size_t take(int fd, teller fail)
{
	ssize_t got;

	wait_for(fd, POLLIN, fail);
	got = recv(fd, data, sizeof(data), 0);
	if (got == -1)
		fail("recv: %s", strerror(errno));
	return got;
}

static void give(int fd, const void *from, size_t size, teller fail)
{
	size_t sent = 0;
	ssize_t part;

	while (sent < size) {
		part = send(fd, (const char *)from + sent, size - sent, 0);
		if (part == -1)
			fail("send: %s", strerror(errno));
		sent += part;
	}
}

/* A connected socket of whoever is called; the caller's first word says who it is. */
static int opened(const struct transfer *t, const char *ip, teller fail, teller tell)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int room = 8 << 20, one = 1, fd, stream;
	socklen_t len = sizeof(a);

	inet_pton(AF_INET, ip, &a.sin_addr);
	fd = socket(AF_INET, t->protocol == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (void *)&a, len) || getsockname(fd, (void *)&a, &len))
		fail("bind to %s: %s", ip, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (t->protocol == TCP && listen(fd, 1))
		fail("listen: %s", strerror(errno));
	tell("ready %d", ntohs(a.sin_port));
	wait_for(fd, POLLIN, fail);
	if (t->protocol == TCP) {
		stream = accept(fd, NULL, NULL);
		setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	} else {
		stream = recvfrom(fd, data, sizeof(data), 0, (void *)&a, &len) == -1 ||
			connect(fd, (void *)&a, len) ? -1 : fd;
	}
	if (stream == -1)
		fail("accept: %s", strerror(errno));
	return stream;
}

static int connected(const struct transfer *t, const char *ip, int port, teller fail)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd;

	inet_pton(AF_INET, ip, &a.sin_addr);
	fd = socket(AF_INET, t->protocol == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd == -1 || connect(fd, (void *)&a, sizeof(a)))
		fail("connect to %s: %s", ip, strerror(errno));
	if (t->protocol == TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	else
		give(fd, "", 1, fail);
	return fd;
}

void sink(const struct transfer *t, const char *ip, pid_t spinner, teller fail, teller tell)
{
	size_t wanted = t->size * t->count, got = 0;
	int fd = opened(t, ip, fail, tell);
	uint64_t began, idle, host, part;
	unsigned int messages = 0;
	clockid_t clock;

	if (spinner && clock_getcpuclockid(spinner, &clock))
		fail("the spinner is gone");
	host = host_time();
	idle = spinner ? read_clock(clock) : 0;
	began = read_clock(CLOCK_MONOTONIC);
	/* the sender begins now */
	give(fd, "", 1, fail);
	while (got < wanted) {
		part = take(fd, fail);
		if (!part)
			fail("%zu of %zu bytes came", got, wanted);
		got += part;
		if (t->protocol == UDP && ++messages % WINDOW == 0 && got < wanted)
			give(fd, "", 1, fail);
	}
	began = read_clock(CLOCK_MONOTONIC) - began;
	idle = spinner ? read_clock(clock) - idle : 0;
	/* vhost-net's thread may have a little left to do for them */
	usleep(20000);
	host = host_time() - host;
	tell("got %zu %llu %llu %llu", got, (unsigned long long)began, (unsigned long long)idle,
	     (unsigned long long)host);
}

void blast_all(const struct transfer *t, const char *ip, int port, teller fail, teller tell)
{
	int fd = connected(t, ip, port, fail);
	unsigned int i;

	memset(data, 0x5a, sizeof(data));
	take(fd, fail);
	for (i = 0; i < t->count; i++) {
		if (t->protocol == UDP && i && i % WINDOW == 0)
			take(fd, fail);
		give(fd, data, t->size, fail);
	}
	tell("blasted");
	/* a stream is closed when the other end is done */
	if (t->protocol == TCP)
		take(fd, fail);
}

void echo(const struct transfer *t, const char *ip, teller fail, teller tell)
{
	int fd = opened(t, ip, fail, tell);
	size_t got = 0, part;

	give(fd, "", 1, fail);
	for (;;) {
		part = take(fd, fail);
		if (!part)
			_exit(0);
		got += part;
		if (got < t->size)
			continue;
		got = 0;
		give(fd, "", 1, fail);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void make_trips(const struct transfer *t, const char *ip, int port, teller fail, teller tell)
{
	uint64_t *took = calloc(t->count + 1, sizeof(*took));
	int fd = connected(t, ip, port, fail);
	unsigned int i;

	if (!took || !t->count)
		fail("no memory");
	take(fd, fail);
	for (i = 0; i < t->count; i++) {
		uint64_t began = read_clock(CLOCK_MONOTONIC);

		give(fd, data, t->size, fail);
		take(fd, fail);
		took[i] = read_clock(CLOCK_MONOTONIC) - began;
	}
	qsort(took, t->count, sizeof(*took), by_value);
	tell("trips %llu %llu %llu %llu", (unsigned long long)took[t->count / 2],
	     (unsigned long long)took[t->count * 9 / 10],
	     (unsigned long long)took[t->count * 99 / 100],
	     (unsigned long long)took[t->count - 1]);
}
