// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the kernel needs a buffer that was sent with MSG_ZEROCOPY, and what happens to the data
 * when the buffer, the process or the socket goes away meanwhile.
 * Documentation/networking/msg_zerocopy.rst says what may be; all over loopback.
 *
 * Buffers are pages of a memfd. It can be sealed against writing only when nobody has a reference
 * to its pages any more, so F_SEAL_WRITE tells exactly whether the kernel gave all of them back.
 * Memory of other kinds is watched by kzc, with kmemleak, after the last test.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "zc.h"

#define PAYLOAD		(4 * PAGE)
#define ROUNDS		16
#define NOBODY		65534
#define OPTMEM_MAX	"/proc/sys/net/core/optmem_max"

struct buffer {
	int fd;
	char *at;
};

static struct buffer buffer(void)
{
	struct buffer b = { .fd = must(memfd_create("buffer", MFD_ALLOW_SEALING | MFD_CLOEXEC)) };

	must(ftruncate(b.fd, PAYLOAD));
	b.at = mmap(NULL, PAYLOAD, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0);
	must(b.at);
	zc_fill(b.at, PAYLOAD, false);
	return b;
}

/* Does the kernel use pages of it? It must not be mapped any more. */
static bool in_use(const struct buffer *b)
{
	if (fcntl(b->fd, F_ADD_SEALS, F_SEAL_WRITE) != -1)
		return false;
	check(errno == EBUSY, "F_SEAL_WRITE: %s", strerror(errno));
	return true;
}

static void unmap(struct buffer *b)
{
	if (b->at)
		must(munmap(b->at, PAYLOAD));
	b->at = NULL;
}

/* All pages of it have to be free, now or as soon as the sockets are gone. */
static void given_back(struct buffer *b)
{
	unsigned int i;

	unmap(b);
	for (i = 0; in_use(b); i++) {
		check(i < 10 * FOREVER * ktap_slowdown(), "pages of the buffer are still in use");
		usleep(100000);
	}
}

/* Receive the payload; how many bytes of it are changed. */
static size_t received(struct zc_pair *p, size_t held)
{
	static char got[PAYLOAD];

	zc_release(p, held);
	zc_recv(p->rx, got, PAYLOAD);
	return zc_changed(got, PAYLOAD);
}

static void completed(int fd, uint32_t count)
{
	struct zc_set set = { .count = count };

	zc_take_rest(fd, &set);
}

/*
 * Receive in pieces and look for the completion before each: from then on nothing that is written
 * to the buffer may be received.
 */
static void after_completion(const struct zc_transport *t)
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
static void before_completion(const struct zc_transport *t)
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

static void no_flag(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);

	sent_as_a_copy(&p, 0);
}

static void no_option(const struct zc_transport *t)
{
	struct zc_pair p = zc_plain_pair(t);

	if (t->family == AF_VSOCK)
		zc_pair(t);	/* a kernel without refuses the flag */
	sent_as_a_copy(&p, MSG_ZEROCOPY);
}

/* Sent and not completed, the buffer's pages cannot be had by anyone else. */
static void held_until_completed(const struct zc_transport *t)
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

static void unmapped(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);
	char *at = b.at, *other;

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	unmap(&b);
	other = mmap(at, PAYLOAD, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	must(other);
	zc_fill(other, PAYLOAD, true);
	check(!received(&p, held), "data of the pages that are mapped there now");
	completed(p.tx, 1);
	given_back(&b);
}

static void remapped(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct buffer b = buffer();
	size_t held = zc_hold(&p), changed;
	char *at = b.at, *other;

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	other = mmap(NULL, PAYLOAD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(other);
	b.at = mremap(b.at, PAYLOAD, PAYLOAD, MREMAP_MAYMOVE | MREMAP_FIXED, other);
	must(b.at);
	other = mmap(at, PAYLOAD, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	must(other);
	zc_fill(other, PAYLOAD, true);
	changed = received(&p, held);
	check(!changed, "data of the pages that are mapped there now");
	zc_take_rest(p.tx, &set);
	given_back(&b);
}

/* Private pages: what either process writes after a fork is its own. */
static void forked(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	char *at = zc_pages(PAYLOAD);
	size_t held = zc_hold(&p);
	pid_t pid;

	zc_send(p.tx, at, PAYLOAD, MSG_ZEROCOPY);
	pid = must(fork());
	if (!pid) {
		zc_fill(at, PAYLOAD, true);
		_exit(0);
	}
	zc_reap(pid);
	check(!zc_changed(at, PAYLOAD), "the child wrote to the parent's pages");
	check(!received(&p, held), "what the child wrote was received");
	completed(p.tx, 1);
}

/* The sender is another process, which ends in some way before anything is received. */
static void sent_by(const struct zc_transport *t, void (*end)(void))
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);
	int status;
	pid_t pid = must(fork());

	if (!pid) {
		zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
		end();
	}
	must(waitpid(pid, &status, 0));
	check(status == 0 || status == SIGKILL, "the sender ended with %#x", status);
	unmap(&b);
	check(in_use(&b), "the pages are free, and what was sent is on its way");
	check(!received(&p, held), "other data than what was sent");
	completed(p.tx, 1);
	given_back(&b);
}

static void by_exec(void)
{
	int null = must(open("/dev/null", O_WRONLY));

	must(dup2(null, STDOUT_FILENO));
	must(execl("/proc/self/exe", "zc_lifetime", "--list", NULL));
}

static void by_exit(void)
{
	_exit(0);
}

static void by_kill(void)
{
	kill(getpid(), SIGKILL);
}

static void execed(const struct zc_transport *t)
{
	sent_by(t, by_exec);
}

static void exited(const struct zc_transport *t)
{
	sent_by(t, by_exit);
}

static void killed(const struct zc_transport *t)
{
	sent_by(t, by_kill);
}

/* Closed by the sender: a stream's data arrives all the same, a corked datagram is dropped. */
static void closed(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	must(close(p.tx));
	if (t->type == SOCK_DGRAM) {
		check(!zc_poll(p.rx, POLLIN, SOON), "a datagram that was never complete");
	} else {
		check(!received(&p, held), "other data than what was sent");
		zc_wait(p.rx, POLLIN);
		check(!must(recv(p.rx, b.at, 1, 0)), "no end of file");
	}
	given_back(&b);
}

/* Closed by the sender, and then by a receiver that has read nothing. */
static void both_closed(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();

	zc_hold(&p);
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	must(close(p.tx));
	must(close(p.rx));
	given_back(&b);
}

/* Closed by a receiver that has read nothing: the sender is told that its buffer is free. */
static void receiver_closed(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();

	zc_hold(&p);
	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	must(close(p.rx));
	if (t->type == SOCK_DGRAM)
		zc_release(&p, 0);
	completed(p.tx, 1);
	given_back(&b);
}

static void shut_down(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct buffer b = buffer();
	size_t held = zc_hold(&p);

	zc_send(p.tx, b.at, PAYLOAD, MSG_ZEROCOPY);
	must(shutdown(p.tx, SHUT_WR));
	must_fail(send(p.tx, b.at, 1, MSG_ZEROCOPY | MSG_NOSIGNAL), EPIPE);
	check(!received(&p, held), "other data than what was sent");
	zc_wait(p.rx, POLLIN);
	check(!must(recv(p.rx, b.at, 1, 0)), "no end of file");
	completed(p.tx, 1);
	given_back(&b);
}

/* One call that waits for room several times is one send, and its buffer is in use to the end. */
static void in_parts(const struct zc_transport *t)
{
	size_t len = 1 << 20, at, piece = 64 << 10;
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = sizeof(set.seen) };
	static char got[64 << 10];
	struct zc_range r;
	char *buf = zc_pages(len);
	pid_t pid = must(fork());

	if (!pid) {
		zc_send(p.tx, buf, len, MSG_ZEROCOPY);
		_exit(0);
	}
	for (at = 0; at < len; at += piece) {
		zc_recv(p.rx, got, piece);
		check(!memcmp(got, buf + at, piece), "other data than what was sent");
	}
	zc_reap(pid);
	while (zc_poll(p.tx, POLLERR, SOON))
		zc_take_all(p.tx, &set);
	check(set.done, "it was never completed");
	check(!zc_take(p.tx, &r), "a completion that poll() does not tell of");
	if (set.done != 1 && t->family == AF_VSOCK)
		ktap_known("%u completions for one send: each wait for room begins another",
			   set.done);
	check(set.done == 1, "%u completions for one send", set.done);
}

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
static void memlock(const struct zc_transport *t)
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
static void memlock_balance(const struct zc_transport *t)
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

/* Send until the limit is reached, over and over again; @len bytes need a completion of their own. */
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
static void optmem(const struct zc_transport *t)
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

/* A send of nothing uses no buffer: it has no id, and the next one has the first. */
static void zero_length(const struct zc_transport *t)
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
static void bad_address(const struct zc_transport *t)
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
static void no_room(const struct zc_transport *t)
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

static long sockets(void)
{
	FILE *file = fopen("/proc/net/sockstat", "r");
	long used;

	if (!file)
		ktap_skip("there is no /proc/net/sockstat");
	check(fscanf(file, "sockets: used %ld", &used) == 1, "sockstat says something else");
	fclose(file);
	return used;
}

static long sockets_at_first;

static void no_socket_left(const struct zc_transport *t)
{
	unsigned int i;

	(void)t;
	for (i = 0; sockets() > sockets_at_first; i++) {
		check(i < FOREVER * ktap_slowdown(), "%ld sockets are left",
		      sockets() - sockets_at_first);
		sleep(1);
	}
}

static const struct ktap_test tests[] = {
	{ "change-after-completion", after_completion, ON_ALL },
	{ "change-before-completion", before_completion, ON_ALL },
	{ "change-without-flag", no_flag, ON_ALL },
	{ "change-without-option", no_option, ON_ALL },
	{ "held-until-completed", held_until_completed, ON_ALL },
	{ "munmap", unmapped, ON_ALL },
	{ "mremap", remapped, ON_ALL },
	{ "fork", forked, ON_ALL },
	{ "exec", execed, ON_ALL },
	{ "exit", exited, ON_ALL },
	{ "kill", killed, ON_ALL },
	{ "close", closed, ON_ALL },
	{ "close-both", both_closed, ON_ALL },
	{ "close-receiver", receiver_closed, ON_ALL },
	{ "shutdown", shut_down, ON_TCP | ON_VSOCK },
	{ "in-parts", in_parts, ON_TCP | 1u << VSOCK },
	{ "zero-length", zero_length, ON_TCP | ON_UDP | 1u << VSOCK },
	{ "bad-address", bad_address, ON_ALL },
	{ "no-room", no_room, 1u << SEQPACKET },
	{ "memlock", memlock, ON_ALL },
	{ "memlock-balance", memlock_balance, ON_ALL },
	{ "optmem", optmem, ON_ALL },
	{ "no-socket-left", no_socket_left, 0 },
};

int main(int argc, char **argv)
{
	FILE *file = fopen("/proc/net/sockstat", "r");

	if (file) {
		if (fscanf(file, "sockets: used %ld", &sockets_at_first) != 1)
			sockets_at_first = 0;
		fclose(file);
	}
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 30);
}
