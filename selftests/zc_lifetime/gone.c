// SPDX-License-Identifier: GPL-2.0-only
/* Buffers, processes and sockets that are gone before what was sent is received. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifetime.h"

void unmapped(const struct zc_transport *t)
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

void remapped(const struct zc_transport *t)
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
void forked(const struct zc_transport *t)
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

void execed(const struct zc_transport *t)
{
	sent_by(t, by_exec);
}

void exited(const struct zc_transport *t)
{
	sent_by(t, by_exit);
}

void killed(const struct zc_transport *t)
{
	sent_by(t, by_kill);
}

/* Closed by the sender: a stream's data arrives all the same, a corked datagram is dropped. */
void closed(const struct zc_transport *t)
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
void both_closed(const struct zc_transport *t)
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
void receiver_closed(const struct zc_transport *t)
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

void shut_down(const struct zc_transport *t)
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
void in_parts(const struct zc_transport *t)
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
