// SPDX-License-Identifier: GPL-2.0-only
/* What is written to a buffer after it was sent, and who may see that. */
#include <poll.h>
#include <sys/mman.h>

#include "lifetime.h"

/*
 * Receive in pieces and look for the completion before each: from then on nothing that is written
 * to the buffer may be received.
 */
void after_completion(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct buffer b = buffer();
	static char got[PAYLOAD];
	size_t piece = t->type == SOCK_STREAM ? PAGE / 2 : PAYLOAD, at;

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	zc_poll(p.tx, POLLERR, SOON);
	zc_take_all(p.tx, &set);
	check(!set.done || set.copied, "completed without a copy, and nobody has received it");
	for (at = 0; at < PAYLOAD; at += piece) {
		zc_take_all(p.tx, &set);
		if (set.done)
			zc_fill(b.at, PAYLOAD, true);
		zc_recv(p.rx, got + at, piece);
	}
	check(!zc_changed(got, PAYLOAD), "what was written after the completion was received");
	zc_take_rest(p.tx, &set);
	given_back(&b);
}

/*
 * A change before the completion may be received. Where the completion says that there was no
 * copy, it has to be: there is no other data than the buffer's.
 */
void before_completion(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct buffer b = buffer();
	size_t held = zc_hold(&p), changed;

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	zc_fill(b.at, PAYLOAD, true);
	changed = received(&p, held);
	zc_take_rest(p.tx, &set);
	ktap_note("%zu of %d changed bytes were received, %s", changed, PAYLOAD,
		  set.copied ? "copied" : "not copied");
	check(set.copied || changed == PAYLOAD,
	      "not copied, yet only %zu changed bytes were received", changed);
	given_back(&b);
}

/* A change after a send that did not ask for zerocopy is never received, nor is it completed. */
static void sent_as_a_copy(struct zc_pair *p, int flags)
{
	struct buffer b = buffer();
	size_t held = zc_hold(p);
	struct zc_range r;

	zc_send(p->tx, b.at, PAYLOAD, flags);
	zc_fill(b.at, PAYLOAD, true);
	unmap(&b);
	check(!in_use(&b), "the buffer is in use");
	check(!received(p, held), "what was written after the send was received");
	check(!zc_poll(p->tx, POLLERR, SOON) && !zc_take(p->tx, &r), "it is completed");
}

void no_flag(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);

	sent_as_a_copy(&p, 0);
}

void no_option(const struct zc_transport *t)
{
	struct zc_pair p = zc_plain_pair(t);

	if (t->family == AF_VSOCK)
		zc_pair(t);	/* a kernel without refuses the flag */
	sent_as_a_copy(&p, MSG_ZEROCOPY);
}

/* Sent and not completed, the buffer's pages cannot be had by anyone else. */
void held_until_completed(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);
	struct zc_range r;

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	unmap(&b);
	check(!zc_poll(p.tx, POLLERR, SOON) && !zc_take(p.tx, &r), "it is completed");
	check(in_use(&b), "the pages are free, and what was sent is on its way");
	check(!received(&p, held), "other data than what was sent");
	completed(p.tx, 1);
	given_back(&b);
}

/*
 * A send that was not copied, and one that was, as it is larger than the room for it. The change
 * proves which was which, and the completions have to say the same.
 */
void copied_after_zerocopy(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	size_t len = 1 << 20, sent;
	char *buf = zc_pages(len), *got = zc_pages(len);
	struct zc_range first, second;

	zc_send(p.tx, buf, PAGE, MSG_ZEROCOPY);
	sent = must(send(p.tx, buf, len, MSG_ZEROCOPY | MSG_DONTWAIT));
	check(sent < len, "there is room for all of it");
	zc_fill(buf, len, true);
	zc_recv(p.rx, got, PAGE);
	if (!zc_changed(got, PAGE))
		ktap_skip("the first send was copied");
	zc_recv(p.rx, got, sent);
	if (zc_changed(got, sent))
		ktap_skip("the second send was not copied");
	zc_wait(p.tx, POLLERR);
	check(zc_take(p.tx, &first) && !first.lo, "no completion of the first send");
	if (first.hi == 1 && !first.copied)
		ktap_known("one range, not copied: the second send was");
	check(!first.hi && !first.copied, "0..%u is copied", first.hi);
	check(zc_take(p.tx, &second) && second.copied, "the second is not copied");
}
