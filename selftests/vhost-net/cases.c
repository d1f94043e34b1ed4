// SPDX-License-Identifier: GPL-2.0-only
/* Data through vhost-net, and how much of it went in place. */
#include "vhost_net.h"

#include <stdio.h>
#include <string.h>

#define SETTLE		5	/* seconds under KVM until all frames are back */
#define HEADERS		54	/* virtio-net's of 12, which a tap takes, too; Ethernet, IPv4, UDP */
#define GOODCOPY	256	/* VHOST_GOODCOPY_LEN: what is shorter, with headers, is copied */

static const size_t sizes[] = { 1, 64, 128, 256, 512, 1024, 4096, 16384, 65536 };
static const size_t few[] = { 1, 256, 4096, 65536 };

const char *transfer(const struct transfer *t, enum way way, enum direction d)
{
	struct end *from = d == G2H ? &guest : &far[way], *to = d == G2H ? &far[way] : &guest;
	const char *protocol = t->protocol == TCP ? "tcp" : "udp";
	char line[LINE], ip[32];
	unsigned long long sent, sum, bytes, value;
	int port;

	snprintf(ip, sizeof(ip), "10.9.%d.%d", way, d == G2H ? 1 : 2);
	ask(to, "recv %s %s %zu %u", protocol, ip, t->size, t->count);
	if (!answer(to, line, 10))
		return because("%s does not answer", to->name);
	if (sscanf(line, "ready %d", &port) != 1)
		return because("%s: %s", to->name, line);
	ask(from, "send %s %s %d %zu %u %u", protocol, ip, port, t->size, t->count, t->seed);
	if (!answer(from, line, 20))
		return because("%s does not answer", from->name);
	if (sscanf(line, "sent %llu %llx", &sent, &sum) != 2)
		return because("%s: %s", from->name, line);
	if (!answer(to, line, 20))
		return because("%s does not answer", to->name);
	if (sscanf(line, "got %llu %llx", &bytes, &value) != 2)
		return because("%s: %s", to->name, line);
	if (sent != (unsigned long long)t->size * t->count || sent != bytes)
		return because("%llu bytes were sent and %llu received", sent, bytes);
	if (sum != value)
		return because("wrong data: checksum %llx, not %llx, over %llu bytes", value, sum, bytes);
	return NULL;
}

static void note_counts(const struct counts *c, long sent)
{
	long back = c->zerocopied + c->copied;

	note("frames", "%ld", sent);
	note("started", "%ld", c->started);
	note("zerocopied", "%ld", c->zerocopied);
	note("copied", "%ld", c->copied);
	if (back)
		note("zerocopied_percent", "%ld", 100 * c->zerocopied / back);
	if (!c->started)
		say("copied: vhost-net took no frame in place");
	else if (!c->zerocopied)
		say("copied: all %ld frames that vhost-net took in place", c->copied);
}

/* The transfer and what it counted; no frame may stay away. */
static const char *counted(const struct test *t, struct counts *c)
{
	struct counts before = counts();
	long had = frames(t->way), left;
	const char *why = transfer(&t->transfer, t->way, t->direction);

	if (why)
		return why;
	left = pending(0, SETTLE);
	*c = since(&before);
	note_counts(c, frames(t->way) - had);
	if (left > 0)
		return because("%ld frames never came back to vhost-net", left);
	if (!zerocopy() && c->started)
		return because("%ld frames in place, and zerocopy is off", c->started);
	return NULL;
}

static const char *data(const struct test *t)
{
	struct counts c;
	const char *why = counted(t, &c);

	if (!why && t->way == LOCAL && c.zerocopied && t->transfer.protocol == UDP)
		return because("%ld frames to sockets of this host were not copied", c.zerocopied);
	return why;
}

/* Datagrams of one frame each: one just too short, one just long enough. */
static const char *threshold(const struct test *t)
{
	struct test one = *t;
	struct counts c;
	const char *why;

	one.transfer.size = GOODCOPY - HEADERS - 1;
	why = counted(&one, &c);
	if (why)
		return why;
	if (c.started)
		return because("%ld frames of %d bytes in place", c.started, GOODCOPY - 1);
	one.transfer.size++;
	why = counted(&one, &c);
	if (why || !zerocopy())
		return why;
	if (c.started < t->transfer.count)
		return because("%ld of %u frames of %d bytes in place", c.started,
			       t->transfer.count, GOODCOPY);
	say("frames of %d bytes and more", GOODCOPY);
	return NULL;
}

/* Without this one, all the others could have been copied. */
static const char *seen(const struct test *t)
{
	struct counts c;
	const char *why = counted(t, &c);

	if (!why && zerocopy() && !c.zerocopied)
		return because("no frame was zerocopy: %ld in place, %ld copied then", c.started,
			       c.copied);
	return why;
}

static unsigned int messages(size_t size)
{
	return size <= 1024 ? 16 : size <= 4096 ? 12 : 6;
}

static void add(struct test *t, const char *what, const char *(*run)(const struct test *t),
		enum way way, struct transfer transfer, enum direction d)
{
	const char *protocol = transfer.protocol == TCP ? "tcp" : "udp";

	*t = (struct test){ .run = run, .way = way, .direction = d, .transfer = transfer };
	if (what)
		snprintf(t->name, sizeof(t->name), "%s/%s", what, way_name[way]);
	else
		snprintf(t->name, sizeof(t->name), "%s/%s/%s/%zu", way_name[way], protocol,
			 d == G2H ? "G2H" : "H2G", transfer.size);
}

size_t data_tests(struct test *tests)
{
	size_t n = 0, i, size;
	int way, p, d;

	for (way = TAP; way <= MACVTAP; way++) {
		add(&tests[n++], "seen", seen, way, (struct transfer){ UDP, 4096, 8, 7 }, G2H);
		add(&tests[n++], "threshold", threshold, way, (struct transfer){ UDP, 0, 4, 9 }, G2H);
	}
	for (way = TAP; way < WAYS; way++) {
		for (p = TCP; p <= UDP; p++) {
			for (d = G2H; d <= H2G; d++) {
				size_t count = way == LOCAL ? sizeof(few) / sizeof(few[0]) :
					sizeof(sizes) / sizeof(sizes[0]);

				for (i = 0; i < count; i++) {
					size = way == LOCAL ? few[i] : sizes[i];
					/* the most that a datagram over IPv4 holds */
					if (p == UDP && size > 65507)
						size = 65507;
					add(&tests[n], NULL, data, way,
					    (struct transfer){ p, size, messages(size), n }, d);
					n++;
				}
			}
		}
	}
	return n;
}
