// SPDX-License-Identifier: GPL-2.0-only
/* RLIMIT_MEMLOCK and optmem_max: the right error, and that it goes on afterwards. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifetime.h"

#define ROUNDS		16
#define NOBODY		65534
#define OPTMEM_MAX	"/proc/sys/net/core/optmem_max"

/* A refused send has to say ENOBUFS. vsock says ENOMEM. */
static bool refused(const struct zc_pair *p, const void *buf)
{
	if (send(p->tx, buf, PAYLOAD, MSG_ZEROCOPY | MSG_DONTWAIT) != -1)
		return false;
	check(errno == ENOBUFS || (p->t->family == AF_VSOCK && errno == ENOMEM), "send: %s",
	      strerror(errno));
	return true;
}

static void known_error(const struct zc_transport *t, int error)
{
	if (t->family == AF_VSOCK && error == ENOMEM)
		ktap_known("ENOMEM, where the documentation says ENOBUFS");
}

static void limit_locked(size_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	must(setrlimit(RLIMIT_MEMLOCK, &limit));
	/* root may lock what it wants; and nobody else counts for this user */
	must(setresuid(NOBODY, NOBODY, NOBODY));
}

/* RLIMIT_MEMLOCK: two pages more than the buffer has are counted for each send on its way. */
void memlock(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);
	int error;

	limit_locked(PAYLOAD + 6 * PAGE);
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	check(refused(&p, b.at), "a second send is over the limit, and goes out");
	error = errno;
	/* without zerocopy there is no limit, and the datagram that failed is gone as a whole */
	if (t->type == SOCK_DGRAM)
		zc_release(&p, held);
	else
		check(!received(&p, held), "other data than what was sent");
	completed(p.tx, 1);
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	check(!received(&p, 0), "other data than what was sent");
	known_error(t, error);
}

/* Each send needs the whole limit, so none goes out unless all before it were counted off. */
void memlock_balance(const struct zc_transport *t)
{
	struct zc_pair pairs[ROUNDS];
	struct buffer b = buffer();
	int i;

	for (i = 0; i < ROUNDS; i++)
		pairs[i] = zc_pair(t);
	limit_locked(PAYLOAD + 2 * PAGE);
	for (i = 0; i < ROUNDS; i++) {
		struct zc_pair *p = &pairs[i];
		int tries = 0;

		/* what was closed unread may be dropped a little later */
		while (refused(p, b.at)) {
			check(tries++ < 10 * FOREVER * (int)ktap_slowdown(),
			      "round %d: locked pages of a send before are counted still", i);
			zc_sleep(100);
		}
		/* with and without a look at data (a vsock may wait 8 s then) and completion */
		if (i)
			check(!received(p, 0), "other data than what was sent");
		if (i & 1)
			completed(p->tx, 1);
		must(close(p->tx));
		must(close(p->rx));
	}
	given_back(&b);
}

/* Send until the limit is reached; @len bytes need a completion of their own. */
static void optmem_at_limit(struct zc_pair *p, size_t len)
{
	char *buf = zc_pages(len), *got = zc_pages(len);
	size_t held = zc_hold(p);
	uint32_t sent = 0;

	while (send(p->tx, buf, len, MSG_ZEROCOPY | MSG_DONTWAIT) == (ssize_t)len)
		check(++sent < 100, "there is no limit");
	check(errno == ENOBUFS || (p->t->family == AF_VSOCK && errno == ENOMEM),
	      "%u sends, then: %s", sent, strerror(errno));
	check(sent > 2, "only %u sends", sent);
	zc_release(p, held);
	for (held = 0; held < sent; held++) {
		zc_recv(p->rx, got, len);
		check(!zc_changed(got, len), "other data than what was sent");
	}
	completed(p->tx, sent);
	zc_send(p->tx, buf, len, MSG_ZEROCOPY);
	zc_recv(p->rx, got, len);
	check(!zc_changed(got, len), "other data than what was sent");
}

static void optmem_in_child(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	int error;

	/* less than one completion needs */
	zc_write_number(OPTMEM_MAX, 100);
	check(refused(&p, b.at), "a completion is over the limit, and goes out");
	error = errno;
	zc_send(p.tx, b.at, PAYLOAD, 0);
	check(!received(&p, 0), "other data than what was sent");

	zc_write_number(OPTMEM_MAX, 4096);
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	check(!received(&p, 0), "other data than what was sent");
	completed(p.tx, 1);
	given_back(&b);

	/* a datagram is completed before the next; a TCP socket uses a completion up to 512 KiB */
	if (t->type != SOCK_DGRAM) {
		p = zc_pair(t);
		optmem_at_limit(&p, t->family == AF_VSOCK ? PAYLOAD : 300 << 10);
	}
	known_error(t, error);
}

/* optmem_max: completions are counted for their socket until they are queued and read. */
void optmem(const struct zc_transport *t)
{
	long before = zc_read_number(OPTMEM_MAX);
	int status;
	pid_t pid = must(fork());

	if (!pid) {
		optmem_in_child(t);
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	zc_write_number(OPTMEM_MAX, before);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	check(!status, "wait status %#x", status);
}
