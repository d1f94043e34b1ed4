// SPDX-License-Identifier: GPL-2.0-only
/* The messages of a transfer, sent and received. No two messages are alike. */
#include "vhost_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE	10	/* seconds under KVM */
#define GAP		3	/* between two datagrams */
#define PRIME		0x100000001b3ull

static void add(struct sum *s, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		s->value = (s->value ^ data[i]) * PRIME;
	s->bytes += len;
}

static void fill(uint8_t *data, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1;
	size_t i;

	for (i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = x >> 32;
	}
}

static struct sockaddr_in address(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static void await_event(int fd, short events, unsigned int seconds, teller fail, const char *what)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, 1000 * seconds * slowdown()) != 1)
		fail("%s in %u s", what, seconds * slowdown());
}

struct sum send_all(const struct transfer *t, const char *ip, int port, teller fail)
{
	struct sockaddr_in a = address(ip, port);
	struct sum s = { .value = 0xcbf29ce484222325ull };
	uint8_t *data = malloc(t->size);
	unsigned int i;
	int one = 1, fd;
	size_t sent;
	ssize_t part;

	fd = socket(AF_INET, t->protocol == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (!data || fd == -1 || connect(fd, (void *)&a, sizeof(a)))
		fail("connect to %s: %s", ip, strerror(errno));
	if (t->protocol == TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (i = 0; i < t->count; i++) {
		fill(data, t->size, t->seed + i);
		add(&s, data, t->size);
		for (sent = 0; sent < t->size; sent += part) {
			await_event(fd, POLLOUT, PATIENCE, fail, "nothing could be sent");
			part = send(fd, data + sent, t->size - sent, MSG_DONTWAIT);
			if (part == -1 && errno == EAGAIN)
				part = 0;
			if (part == -1)
				fail("message %u of %u: send: %s", i, t->count, strerror(errno));
		}
	}
	close(fd);
	free(data);
	return s;
}

static int accepted(int listener, teller fail)
{
	int fd;

	await_event(listener, POLLIN, PATIENCE, fail, "nobody connected");
	fd = accept(listener, NULL, NULL);
	if (fd == -1)
		fail("accept: %s", strerror(errno));
	close(listener);
	return fd;
}

struct sum receive_all(const struct transfer *t, const char *ip, teller fail, teller tell)
{
	struct sum s = { .value = 0xcbf29ce484222325ull };
	struct sockaddr_in a = address(ip, 0);
	socklen_t len = sizeof(a);
	int room = 8 << 20, fd;
	size_t wanted = t->size * t->count;
	static uint8_t data[1 << 16];
	ssize_t part;

	fd = socket(AF_INET, t->protocol == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (void *)&a, sizeof(a)))
		fail("bind to %s: %s", ip, strerror(errno));
	if (t->protocol == UDP)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (getsockname(fd, (void *)&a, &len) || (t->protocol == TCP && listen(fd, 1)))
		fail("listen: %s", strerror(errno));
	tell("ready %d", ntohs(a.sin_port));
	if (t->protocol == TCP)
		fd = accepted(fd, fail);
	for (;;) {
		/* a stream tells its end, of datagrams nothing may follow the last */
		if (t->protocol == UDP && s.bytes == wanted)
			break;
		if (t->protocol == UDP && s.bytes)
			await_event(fd, POLLIN, GAP, fail, "a datagram is lost: none came");
		else
			await_event(fd, POLLIN, PATIENCE, fail, "no more data came");
		part = recv(fd, data, sizeof(data), 0);
		if (part == -1)
			fail("%llu of %zu bytes: recv: %s", s.bytes, wanted, strerror(errno));
		if (t->protocol == UDP && (size_t)part != t->size)
			fail("a datagram of %zd bytes, not %zu", part, t->size);
		if (!part)
			break;
		add(&s, data, part);
	}
	close(fd);
	return s;
}
