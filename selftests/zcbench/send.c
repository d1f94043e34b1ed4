// SPDX-License-Identifier: GPL-2.0-only
/* The sending side of a round: see zcbench.h. */
#include "zcbench.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

#define AGAIN_MS	1000

struct sender {
	const struct round *r;
	int fd;
	uint8_t *messages[KINDS];
	char to[64] __attribute__((aligned(8)));
	size_t to_len;
	struct completions completions;
	uint64_t in_send;
	unsigned long enobufs;
};

void fill(uint8_t *message, size_t size, int kind)
{
	size_t i;

	message[0] = kind;
	for (i = 1; i < size; i++)
		message[i] = i * 7 + i / 4096 * 13 + 3;
}

static void make_messages(struct sender *s)
{
	const struct cell *c = s->r->cell;
	size_t room = (c->size + 4095) & ~4095ul;
	int kind, kinds = is_stream(c) ? 1 : KINDS;
	uint8_t *at;

	at = mmap(NULL, kinds * room, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (at == MAP_FAILED)
		fail(false, "no memory for messages of %zu bytes", c->size);
	for (kind = 0; kind < kinds; kind++) {
		s->messages[kind] = at + kind * room;
		fill(s->messages[kind], c->size, kind);
	}
}

/* Too many completions that nobody has collected: optmem_max. */
static void make_room(struct sender *s)
{
	struct pollfd p = { .fd = s->fd };

	s->enobufs++;
	if (s->completions.done == s->completions.sent)
		fail(true, "ENOBUFS: net.core.optmem_max is too small for one send");
	calls++;
	must(poll(&p, 1, -1));
	collect(&s->completions, s->fd);
}

/* One call; what it has sent. @asks: with a request for completions. */
static size_t send_once(struct sender *s, const uint8_t *data, size_t len, bool asks)
{
	bool zerocopy = s->r->cell->mode != COPY;
	char control[512] __attribute__((aligned(8)));
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = s->to_len ? s->to : NULL, .msg_namelen = s->to_len,
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	uint64_t before;
	ssize_t sent;

	for (;;) {
		if (asks) {
			msg.msg_control = control;
			msg.msg_controllen = ask(control, sizeof(control));
		}
		before = now();
		calls++;
		sent = sendmsg(s->fd, &msg, MSG_NOSIGNAL | (zerocopy ? MSG_ZEROCOPY : 0));
		s->in_send += now() - before;
		if (sent > 0)
			break;
		if (errno == EMSGSIZE)
			fail(true, "a message of %zu bytes is too long", len);
		if (errno != ENOBUFS || !zerocopy)
			fail(false, "sendmsg: %m");
		make_room(s);
	}
	if (zerocopy) {
		if (s->completions.sent < s->completions.room)
			s->completions.at[s->completions.sent] = before;
		s->completions.sent++;
	}
	if (asks)
		answered(&s->completions, control, msg.msg_controllen);
	return sent;
}

static void send_message(struct sender *s, const uint8_t *message, bool asks)
{
	size_t size = s->r->cell->size, at = 0;

	while (at < size)
		at += send_once(s, message + at, size - at, asks);
}

/* Until the receiver has taken what was sent so far; a lost end of a window is sent again. */
static void wait_for_window(const struct sender *s, int again)
{
	bool stream = is_stream(s->r->cell);

	while (!stream && !listens(AGAIN_MS)) {
		if (sendto(s->fd, s->messages[again], s->r->cell->size, MSG_NOSIGNAL,
			   (void *)(s->to_len ? s->to : NULL), s->to_len) == -1)
			fail(false, "send: %m");
	}
	hear_window();
}

static void send_messages(struct sender *s, unsigned long count)
{
	unsigned long i, window = window_of(s->r);
	const struct cell *c = s->r->cell;
	bool one_kernel = c->direction == LOOPBACK || c->direction == VETH, collects;
	int kind;

	for (i = 1; i <= count; i++) {
		collects = c->mode != COPY && !(i % c->interval);
		kind = PLAIN;
		if (window && (i == count || !(i % window)))
			kind = i == count ? LAST : WINDOW;
		send_message(s, s->messages[is_stream(c) ? PLAIN : kind],
			     collects && c->mode == NOTIFICATION);
		if (kind != PLAIN || i == count)
			flush(s->r, s->fd);
		if (kind != PLAIN)
			wait_for_window(s, kind + 1);
		if (collects && one_kernel && s->r->end->turns)
			sched_yield();
		if (collects && c->mode == ERRQUEUE)
			collect(&s->completions, s->fd);
	}
	if (c->mode != COPY)
		collect_all(&s->completions, s->fd);
}

static int smaller(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Quantiles of the sends from @first on; each is one of the values (nearest rank). */
static void quantiles(const struct completions *c, uint32_t first, char *line, size_t room)
{
	uint32_t end = c->sent < c->room ? c->sent : c->room, n = end - first;
	uint64_t *at = c->at + first;

	if (end <= first)
		return;
	qsort(at, n, sizeof(*at), smaller);
	snprintf(line, room, "\"p50\":%lu,\"p90\":%lu,\"p99\":%lu,\"max\":%lu", at[(n - 1) / 2],
		 at[(n * 9ul - 1) / 10], at[(n * 99ul - 1) / 100], at[n - 1]);
}

static void say(const struct sender *s, const struct meter *m, uint32_t first, char *line)
{
	const struct completions *done = &s->completions;
	const struct cell *c = s->r->cell;
	char latency[LINE] = "";

	quantiles(done, first, latency, sizeof(latency));
	snprintf(line, 4 * LINE,
		 "{\"round\":%ld,\"side\":\"sender\",\"messages\":%lu,\"bytes\":%zu,\"send\":%lu,"
		 "\"whole\":%lu,\"user\":%lu,\"system\":%lu,\"calls\":%lu,\"switches\":%lu,"
		 "\"zerocopied\":%u,\"copied\":%u,\"enobufs\":%lu,\"idle\":%ld,\"cycles\":%ld,"
		 "\"all_cycles\":%ld,\"latency\":{%s}}",
		 c->number, c->messages, total(c, c->messages), s->in_send, m->now,
		 m->cpu - m->system, m->system, calls, m->switches, done->zerocopied,
		 done->copied, s->enobufs, idle_of(s->r, m), m->cycles, m->all_cycles, latency);
}

void send_round(const struct round *r, char *line)
{
	struct sender s = { .r = r };
	const struct cell *c = r->cell;
	struct meter before, after, m;
	char heard[4 * LINE];
	uint32_t first;

	s.completions.room = 4 * (c->messages + c->warmup) + 64;
	s.completions.at = calloc(s.completions.room, sizeof(uint64_t));
	if (!s.completions.at)
		fail(false, "no memory for %zu completions", s.completions.room);
	make_messages(&s);
	count_cycles();
	s.fd = open_sender(r);
	s.to_len = destination(r, s.to, sizeof(s.to));
	send_messages(&s, c->warmup);
	hear(heard);
	if (strcmp(heard, "warm"))
		fail(false, "no word of the warm-up but %.64s", heard);
	forget_completions(&s.completions);
	first = s.completions.sent;
	s.in_send = 0;
	s.enobufs = 0;
	calls = 0;
	read_meter(r, &before);
	send_messages(&s, c->messages);
	read_meter(r, &after);
	m = passed(&before, &after);
	tell("sent");
	say(&s, &m, first, line);
}
