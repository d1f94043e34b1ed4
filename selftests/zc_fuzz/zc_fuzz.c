// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls on both ends of a connection over loopback, and a model of what has to come of them:
 * every byte sent is received, in order and as it was; every send with zerocopy is completed once,
 * and in order but for vsock, whose receiver may copy packets together and so complete later ones
 * first; nothing else is. A buffer is written over as soon as it is allowed.
 *
 * $KZC_SEED repeats a run and $KZC_STEPS bounds it. A step depends on its number and the seed
 * alone, not on what came before.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <linux/socket.h>
#include <linux/vm_sockets.h>

#include "ktap.h"
#include "zc.h"

#define SLOTS		64
#define SLOT		(128 << 10)
#define MESSAGES	256
#define POISON		0xee

static unsigned int base_seed, steps;

/* A buffer of the sender. Sent with zerocopy it is @busy until send @id is completed. */
struct slot {
	uint8_t *at;
	size_t len;
	bool busy;
	uint32_t id;
};

static struct {
	struct zc_pair p;
	unsigned int seed, step;
	uint64_t random;

	bool option;		/* SO_ZEROCOPY is on */
	bool shut;		/* for sending */
	bool peeked, no_peek;	/* MSG_PEEK has worked, or this kernel has none here */
	size_t longest;
	size_t head;		/* bytes that the receiver sees before the data */

	uint64_t sent, received;	/* bytes; each has a place in one long stream */
	size_t pending;			/* of a datagram that is not complete */
	size_t message[MESSAGES];	/* lengths of those on their way */
	unsigned int first, messages;

	uint32_t ids, completed;	/* sends with zerocopy, and those that are completed */
	uint32_t next;			/* after the last one that was */
	bool *done;
	struct slot slots[SLOTS];

	unsigned int sends, zerocopies, refused, copied, requests;
} f;

#define fail_here(fmt, ...)						\
	ktap_fail("seed %u, step %u: " fmt, base_seed, f.step, ##__VA_ARGS__)
#define expect(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			fail_here(fmt, ##__VA_ARGS__);			\
	} while (0)

/* splitmix64 */
static uint64_t next_random(void)
{
	uint64_t z = f.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int limit)
{
	return next_random() % limit;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

static bool streams(void)
{
	return f.p.t->type == SOCK_STREAM;
}

/* The byte at a place of the stream. Never POISON, which has its highest bit set. */
static uint8_t byte_at(uint64_t place)
{
	return (place * 0x9e3779b1 >> 11 ^ place >> 3 ^ f.seed) & 0x7f;
}

static void compare(const uint8_t *got, size_t len, uint64_t from)
{
	size_t i;

	for (i = 0; i < len; i++)
		expect(got[i] == byte_at(from + i), "byte %zu of %zu received is %#x, not %#x%s", i,
		       len, got[i], byte_at(from + i),
		       got[i] == POISON ? ": written after it might be" : "");
}

/* From now on the buffer is the sender's again. */
static void release(struct slot *s)
{
	memset(s->at, POISON, s->len);
	s->busy = false;
}

static void complete(uint32_t lo, uint32_t hi, bool copied)
{
	unsigned int i;
	uint32_t id;

	expect(hi >= lo && hi < f.ids, "completion %u..%u of %u sends", lo, hi, f.ids);
	expect(lo == f.next || f.p.t->family == AF_VSOCK, "completion %u..%u, %u has to be next",
	       lo, hi, f.next);
	for (id = lo; id <= hi; id++) {
		expect(!f.done[id], "send %u is completed twice", id);
		f.done[id] = true;
		f.completed++;
	}
	for (i = 0; i < SLOTS; i++) {
		if (f.slots[i].busy && f.slots[i].id >= lo && f.slots[i].id <= hi)
			release(&f.slots[i]);
	}
	f.next = hi + 1;
	f.copied += copied ? hi - lo + 1 : 0;
}

static bool read_completion(void)
{
	struct zc_range r;

	if (!zc_take(f.p.tx, &r))
		return false;
	complete(r.lo, r.hi, r.copied);
	return true;
}

static struct slot *free_slot(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		if (!f.slots[i].busy)
			return &f.slots[i];
	}
	return NULL;
}

static size_t random_length(void)
{
	size_t len;

	switch (below(4)) {
	case 0:
		len = below(64);
		break;
	case 1:
		len = below(2 * PAGE);
		break;
	case 2:
		len = PAGE * below(8);
		break;
	default:
		len = below(f.longest);
	}
	return len < f.longest ? len : f.longest;
}

#ifdef SCM_ZC_NOTIFICATION

union control {
	char buf[CMSG_SPACE(sizeof(struct zc_info) +
			    ZC_NOTIFICATION_MAX * sizeof(struct zc_info_elem))];
	struct cmsghdr align;
};

static void ask(struct msghdr *msg, union control *control, uint32_t count)
{
	size_t len = sizeof(struct zc_info) + count * sizeof(struct zc_info_elem);
	struct cmsghdr *cm;

	memset(control, POISON, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(len);
	cm = CMSG_FIRSTHDR(msg);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_ZC_NOTIFICATION;
	cm->cmsg_len = CMSG_LEN(len);
	((struct zc_info *)CMSG_DATA(cm))->nr_elems = count;
}

static void answered(struct msghdr *msg, uint32_t count)
{
	struct zc_info *zc = (void *)CMSG_DATA(CMSG_FIRSTHDR(msg));
	uint32_t i;

	expect(zc->nr_elems <= count, "%u completions, asked for %u", zc->nr_elems, count);
	for (i = 0; i < zc->nr_elems; i++)
		complete(zc->arr[i].lo, zc->arr[i].hi, !zc->arr[i].zerocopy);
	f.requests++;
}

#define MAX_REQUEST	ZC_NOTIFICATION_MAX

#else

union control {
	char none;
};

#define ask(msg, control, count)	((void)(control))
#define answered(msg, count)		((void)(msg))
#define MAX_REQUEST	0

#endif

/* The errors that a send may end with, and nothing has happened. */
static void may_fail(int error)
{
	if (f.shut)
		expect(error == EPIPE, "send after shutdown: %s", strerror(error));
	else
		expect(error == EAGAIN || error == ENOBUFS ||
		       (error == ENOMEM && f.p.t->family == AF_VSOCK), "send: %s",
		       strerror(error));
	f.refused++;
}

/* Bytes of the model: those of a message count when it is complete. */
static void is_sent(size_t len, bool more)
{
	f.sent += len;
	if (streams())
		return;
	f.pending += len;
	if (more)
		return;
	f.message[(f.first + f.messages++) % MESSAGES] = f.pending;
	f.pending = 0;
}

static bool may_send(size_t len)
{
	if (streams())
		return true;
	/* the receiver's buffer takes that much; beyond, UDP would drop it */
	return f.messages < MESSAGES && f.sent - f.received + len < 1 << 20;
}

static void do_send(size_t len, int flags, uint32_t count)
{
	struct iovec iov[4];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 1 + below(4) };
	struct slot *s = free_slot();
	bool zerocopy = flags & MSG_ZEROCOPY && f.option;
	size_t offset = one_in(2) ? 0 : below(PAGE), at = 0, i;
	union control control;
	uint32_t ids = f.ids;
	ssize_t sent;

	if (!s || !may_send(len))
		return;
	s->len = offset + len;
	for (i = 0; i < len; i++)
		s->at[offset + i] = byte_at(f.sent + i);
	for (i = 0; i < msg.msg_iovlen; i++) {
		size_t part = i + 1 < msg.msg_iovlen ? below(len - at + 1) : len - at;

		iov[i] = (struct iovec){ s->at + offset + at, part };
		at += part;
	}
	if (count)
		ask(&msg, &control, count);
	f.sends++;
	/* it may be completed, and the completion returned, before the call returns */
	f.ids += zerocopy;
	s->id = ids;
	sent = sendmsg(f.p.tx, &msg, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == -1) {
		may_fail(errno);
		f.ids = ids;
		return release(s);
	}
	expect((size_t)sent == len || (streams() && sent <= (ssize_t)len), "%zd bytes sent of %zu",
	       sent, len);
	s->busy = zerocopy && sent;
	f.zerocopies += s->busy;
	f.ids = ids + s->busy;
	is_sent(sent, flags & MSG_MORE);
	if (count)
		answered(&msg, count);
	if (!s->busy)
		release(s);
}

static void step_send(void)
{
	bool udp = f.p.t->type == SOCK_DGRAM && f.p.t->family != AF_PACKET;
	uint32_t count = MAX_REQUEST && f.option && one_in(4) ? 1 + below(MAX_REQUEST + !MAX_REQUEST)
							       : 0;
	size_t len = random_length();
	int flags = 0;

	if (one_in(2))
		flags |= MSG_ZEROCOPY;
	if ((udp || f.p.t->type == SOCK_STREAM) && one_in(8))
		flags |= MSG_MORE;
	if (f.p.t->family == AF_VSOCK)
		flags &= ~MSG_MORE;
	if (udp && f.pending + len >= f.longest)
		len = 0;
	/* zc_lifetime/zero-length tells of that */
	if (udp && !len)
		flags &= ~MSG_ZEROCOPY;
	/* neither a message nor an error */
	if (!len && !udp && !streams())
		len = 1;
	do_send(len, flags, count);
}

/* Up to 6.5 a SEQPACKET vsock refuses MSG_PEEK, with whatever its recv() makes of EOPNOTSUPP. */
static bool lacks_peek(int error)
{
	return f.p.t->type == SOCK_SEQPACKET && !f.peeked &&
	       (error == EOPNOTSUPP || error == ENOMEM);
}

/* One message or a part of the stream; false if there is nothing. */
static bool receive(size_t len, int flags)
{
	static uint8_t got[SLOT + 64];
	size_t wanted = streams() ? len : sizeof(got);
	ssize_t part;

	if (!wanted || (flags & MSG_PEEK && f.no_peek))
		return false;
	part = recv(f.p.rx, got, wanted, flags | MSG_DONTWAIT);
	if (part == -1) {
		f.no_peek = flags & MSG_PEEK && lacks_peek(errno);
		expect(errno == EAGAIN || f.no_peek, "recv: %s", strerror(errno));
		return false;
	}
	f.peeked |= flags & MSG_PEEK;
	if (!part && (streams() || f.p.t->type == SOCK_SEQPACKET)) {
		expect(f.shut && f.received == f.sent, "end of file after %llu bytes of %llu",
		       (unsigned long long)f.received, (unsigned long long)f.sent);
		return false;
	}
	if (!streams()) {
		expect(f.messages, "a message of %zd bytes too many", part);
		part -= f.head;
		expect((size_t)part == f.message[f.first], "a message of %zd bytes, not %zu", part,
		       f.message[f.first]);
	}
	expect(f.received + part <= f.sent, "more than was sent");
	compare(got + f.head, part, f.received);
	if (flags & MSG_PEEK)
		return true;
	f.received += part;
	if (!streams()) {
		f.first = (f.first + 1) % MESSAGES;
		f.messages--;
	}
	return true;
}

/* What poll() promises has to be there. */
static void step_poll(void)
{
	struct pollfd p[2] = {
		{ .fd = f.p.tx, .events = POLLOUT },
		{ .fd = f.p.rx, .events = POLLIN },
	};

	must(poll(p, 2, 0));
	if (p[0].revents & POLLERR)
		expect(read_completion(), "POLLERR, and no completion");
	/* a SEQPACKET vsock is readable as soon as a part of a message is there */
	if (p[1].revents & POLLIN && !f.shut)
		expect(receive(1 + below(SLOT), 0) || f.p.t->type == SOCK_SEQPACKET,
		       "POLLIN, and nothing to receive");
}

static void set_option(bool on)
{
	int value = on;

	if (setsockopt(f.p.tx, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof(value)) == -1) {
		expect(errno == EOPNOTSUPP || errno == 524, "SO_ZEROCOPY: %s", strerror(errno));
		on = false;
	}
	f.option = on;
}

static void step_shutdown(void)
{
	if (f.p.t->type == SOCK_RAW || f.p.t->family == AF_PACKET)
		return;
	/* a datagram that is not complete would be lost */
	if (f.pending)
		do_send(1, 0, 0);
	if (f.pending)
		return;
	must(shutdown(f.p.tx, SHUT_WR));
	f.shut = true;
}

static void one_step(void)
{
	unsigned int what = below(100);

	if (what < 45)
		step_send();
	else if (what < 70)
		receive(1 + (one_in(2) ? below(SLOT) : below(PAGE)), one_in(8) ? MSG_PEEK : 0);
	else if (what < 85)
		read_completion();
	else if (what < 97)
		step_poll();
	else if (what < 99 && !f.pending)
		set_option(!one_in(3));
	else if (f.step > steps - steps / 20 && !f.shut)
		step_shutdown();
}

/* All of it has to come in the end. */
static void finish(void)
{
	int forever = 1000 * FOREVER * ktap_slowdown();
	struct zc_set rest = {};

	f.step = steps;
	if (f.pending && !f.shut) {
		while (f.messages == MESSAGES)
			expect(receive(SLOT, 0), "messages are missing");
		do_send(1, 0, 0);
	}
	while (f.received < f.sent || f.messages) {
		if (!receive(SLOT, 0))
			expect(zc_poll(f.p.rx, POLLIN, forever), "%llu bytes of %llu came",
			       (unsigned long long)f.received, (unsigned long long)f.sent);
	}
	while (f.completed < f.ids) {
		if (!read_completion())
			expect(zc_poll(f.p.tx, POLLERR, forever),
			       "%u of %u sends were never completed", f.ids - f.completed,
			       f.ids);
	}
	zc_sleep(SOON);
	zc_take_all(f.p.tx, &rest);
}

/*
 * Where a message is refused with EAGAIN, a part of it may have been sent (zc_lifetime/no-room). With
 * more room than there will ever be bytes, none is.
 */
static void set_room(uint64_t room)
{
	int fd[] = { f.p.tx, f.p.rx }, i;

	/* the sender's own size is a limit, too */
	for (i = 0; i < 2; i++) {
		must(setsockopt(fd[i], AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &room,
				sizeof(room)));
		must(setsockopt(fd[i], AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &room, sizeof(room)));
	}
	/* the sender has to be told */
	zc_sleep(SOON);
}

static void prepare(const struct zc_transport *t)
{
	static const int windows[] = { 32768, 131072, 1 << 20 };
	cpu_set_t cpu;
	unsigned int i;

	f.seed = base_seed ^ (unsigned int)(t - zc_transports) << 24;
	/* on another CPU, a datagram might overtake the one before */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu));
	f.p = zc_sized_pair(t, windows[f.seed % ARRAY_SIZE(windows)]);
	if (t->type == SOCK_SEQPACKET)
		set_room(1 << 30);
	f.longest = streams() || t->family == AF_VSOCK ? SLOT - PAGE : 60000;
	f.head = t->type == SOCK_RAW ? 20 : 0;
	for (i = 0; i < SLOTS; i++)
		f.slots[i].at = zc_pages(SLOT);
	f.done = calloc(steps + 1, sizeof(*f.done));
	set_option(true);
	if (!f.option)
		ktap_note("%s: SO_ZEROCOPY is refused, so nothing may be completed", t->name);
}

static void fuzz(const struct zc_transport *t)
{
	prepare(t);
	for (f.step = 0; f.step < steps; f.step++) {
		f.random = (uint64_t)f.seed << 32 | f.step;
		one_step();
	}
	finish();
	ktap_note("%s: %u sends, %u with zerocopy, %u of them copied, %u refused, %u asked",
		  t->name, f.sends, f.zerocopies, f.copied, f.refused, f.requests);
	if (f.no_peek)
		ktap_note("%s: this kernel has no MSG_PEEK here", t->name);
	expect(f.sends > f.refused, "nothing was sent");
}

static const struct ktap_test tests[] = {
	{ "fuzz", fuzz, ON_ALL | 1u << RAW | 1u << PACKET },
};

static unsigned int number(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned int drawn;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		return 1;
	base_seed = number("KZC_SEED", drawn % 1000000000);
	steps = number("KZC_STEPS", 3000);
	if (argc < 2 || strcmp(argv[1], "--list"))
		ktap_note("seed %u, %u steps", base_seed, steps);
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 60);
}
