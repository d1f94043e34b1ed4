// SPDX-License-Identifier: GPL-2.0-only
/* The receiving side of a round: see zcbench.h. */
#include "zcbench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define LEAST_READ	(64 << 10)
#define MOST_READ	(1 << 20)

struct receiver {
	const struct round *r;
	int fd;
	uint8_t *expected;
	uint8_t *buffer;
	size_t room;
	unsigned long messages;
	size_t bytes;
	uint64_t first;
	uint64_t last;
};

static uint8_t *pages(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (at == MAP_FAILED)
		fail(false, "no memory for %zu bytes", len);
	return at;
}

static void make_buffers(struct receiver *v)
{
	size_t size = v->r->cell->size;

	v->room = size + 64;
	if (is_stream(v->r->cell))
		v->room = size < LEAST_READ ? LEAST_READ : size > MOST_READ ? MOST_READ : size;
	v->buffer = pages(v->room);
	v->expected = pages(size);
	fill(v->expected, size, PLAIN);
}

/* A part of the stream, which is one message after the other, from its byte @at on. */
static void check_stream(const struct receiver *v, size_t at, size_t len)
{
	size_t size = v->r->cell->size, done, from, part;

	for (done = 0; done < len; done += part) {
		from = (at + done) % size;
		part = size - from < len - done ? size - from : len - done;
		if (memcmp(v->buffer + done, v->expected + from, part))
			fail(false, "wrong data in the %zu bytes from %zu on", part, at + done);
	}
}

static void receive_stream(struct receiver *v, unsigned long messages, bool check)
{
	size_t window = total(v->r->cell, window_of(v->r));
	size_t wanted = total(v->r->cell, messages), got = 0, part, end;
	struct pollfd p = { .fd = v->fd, .events = POLLIN };
	int one = 1;
	ssize_t len;

	must(poll(&p, 1, -1));
	v->first = now();
	while (got < wanted) {
		end = window && wanted - got > window - got % window ?
			      got - got % window + window : wanted;
		part = end - got < v->room ? end - got : v->room;
		calls++;
		len = recv(v->fd, v->buffer, part, 0);
		if (!len)
			errno = ECONNRESET;
		if (len <= 0)
			fail(false, "after %zu of %zu bytes: %m", got, wanted);
		if (check)
			check_stream(v, got, len);
		got += len;
		if (window && got == end)
			tell_window();
	}
	v->last = now();
	v->bytes = got;
	/* the sender's last completion may wait for this */
	if (v->r->cell->transport == TCP)
		must(setsockopt(v->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one)));
}

/* A message; what it is, or -1 if none came for some time. */
static int receive_datagram(struct receiver *v, bool check)
{
	size_t before = overhead(v->r->cell), size = v->r->cell->size;
	ssize_t len;

	calls++;
	len = recv(v->fd, v->buffer, v->room, 0);
	if (len == -1) {
		if (errno != EAGAIN)
			fail(false, "recv: %m");
		return -1;
	}
	if ((size_t)len != size + before)
		fail(false, "a datagram of %zd bytes, not %zu", len, size + before);
	if (check && memcmp(v->buffer + before + 1, v->expected + 1, size - 1))
		fail(false, "wrong data in datagram %lu", v->messages);
	v->last = now();
	if (!v->first)
		v->first = v->last;
	return v->buffer[before];
}

static void receive_datagrams(struct receiver *v, bool check)
{
	int kind;

	v->messages = 0;
	v->first = 0;
	do {
		kind = receive_datagram(v, check);
		if (kind == -1) {
			/* it says nothing before its last message was taken */
			if (listens(0))
				fail(false, "the sender is gone");
			continue;
		}
		if (kind == PLAIN || kind == WINDOW || kind == LAST)
			v->messages++;
		if (kind != PLAIN)
			tell_window();
	} while (kind != LAST && kind != LAST_AGAIN);
	v->bytes = total(v->r->cell, v->messages);
}

static void receive_messages(struct receiver *v, unsigned long messages, bool check)
{
	if (is_stream(v->r->cell))
		receive_stream(v, messages, check);
	else
		receive_datagrams(v, check);
}

void receive_round(const struct round *r, char *line)
{
	struct receiver v = { .r = r };
	const struct cell *c = r->cell;
	struct meter before, after, m;
	char heard[4 * LINE];

	make_buffers(&v);
	v.fd = accept_sender(r, open_receiver(r));
	receive_messages(&v, c->warmup, true);
	calls = 0;
	read_meter(r, &before);
	tell("warm");
	receive_messages(&v, c->messages, false);
	read_meter(r, &after);
	m = passed(&before, &after);
	hear(heard);
	if (strcmp(heard, "sent"))
		fail(false, "no word of the end but %.64s", heard);
	snprintf(line, 4 * LINE,
		 "{\"round\":%ld,\"side\":\"receiver\",\"bytes\":%zu,\"whole\":%lu,\"user\":%lu,"
		 "\"system\":%lu,\"calls\":%lu,\"switches\":%lu,\"idle\":%ld}",
		 c->number, v.bytes, v.last - v.first, m.cpu - m.system, m.system, calls,
		 m.switches, idle_of(r, &m));
}
