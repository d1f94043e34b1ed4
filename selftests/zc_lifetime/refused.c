// SPDX-License-Identifier: GPL-2.0-only
/* Sends of nothing, or that fail: they leave nothing behind. */
#include <poll.h>
#include <sys/mman.h>

#include "lifetime.h"

/* A send of nothing uses no buffer: it has no id, and the next one has the first. */
void zero_length(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	struct zc_range r;

	zc_send(p.tx, b.at, 0, MSG_ZEROCOPY);
	if (t->type == SOCK_DGRAM) {
		zc_wait(p.rx, POLLIN);
		check(!must(recv(p.rx, b.at, 1, 0)), "not an empty datagram");
	}
	zc_poll(p.tx, POLLERR, SOON);
	if (zc_take(p.tx, &r)) {
		check(t->type == SOCK_DGRAM && !r.lo && !r.hi, "completion %u..%u", r.lo, r.hi);
		ktap_known("an empty datagram has an id; the documentation says that it has none");
	}
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	check(!received(&p, 0), "other data than what was sent");
	completed(p.tx, 1);
}

/* Half of the buffer cannot be read: what could be is sent, or given back at once. */
void bad_address(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	static char got[PAYLOAD];
	struct zc_set set = { .count = 1 };
	ssize_t sent;
	int error;

	must(mprotect(b.at + PAYLOAD / 2, PAYLOAD / 2, PROT_NONE));
	sent = send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	error = errno;
	if (sent == -1) {
		check(error == EFAULT || (t->family == AF_VSOCK && error == ENOMEM), "send: %s",
		      strerror(error));
	} else {
		check(t->type == SOCK_STREAM && sent == PAYLOAD / 2, "%zd bytes sent", sent);
		zc_recv(p.rx, got, sent);
		set.count++;
	}
	must(mprotect(b.at + PAYLOAD / 2, PAYLOAD / 2, PROT_READ));
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	check(!received(&p, 0), "other data than what was sent");
	/* a send that failed has no id */
	zc_take_rest(p.tx, &set);
	given_back(&b);
	if (sent == -1 && error == ENOMEM)
		ktap_known("ENOMEM for a bad address, which should be EFAULT");
}

/*
 * Without room for the whole of a message, nothing of it may be sent: the caller will send it again
 * after EAGAIN.
 */
void no_room(const struct zc_transport *t)
{
	static char filler[1 << 10], got[PAYLOAD + sizeof(filler)];
	struct zc_pair p = zc_pair(t);
	char *buf = zc_pages(PAYLOAD);
	int room = 0, i;
	ssize_t len;

	while (send(p.tx, filler, sizeof(filler), MSG_DONTWAIT) == (ssize_t)sizeof(filler))
		check(++room < 10000, "there is always room");
	check(errno == EAGAIN, "send: %s", strerror(errno));

	/* as many, but for one */
	p = zc_pair(t);
	for (i = 1; i < room; i++)
		zc_send(p.tx, filler, sizeof(filler), MSG_DONTWAIT);
	must_fail(send(p.tx, buf, PAYLOAD, MSG_DONTWAIT | MSG_ZEROCOPY), EAGAIN);
	for (i = 1; i < room; i++)
		zc_recv(p.rx, got, sizeof(filler));
	zc_send(p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	zc_wait(p.rx, POLLIN);
	len = must(recv(p.rx, got, sizeof(got), 0));
	if (len > PAYLOAD)
		ktap_known("a part of the message that got EAGAIN was sent: %zd bytes, not %d", len,
			   PAYLOAD);
	check(len == PAYLOAD && !zc_changed(got, len), "%zd other bytes than what was sent", len);
	completed(p.tx, 1);
}
