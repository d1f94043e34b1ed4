// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums over data that change: made by the device, or over a copy that nobody can change.
 *
 * msg_zerocopy.rst, "Deferred copies": devices without what it takes send copies, and "a packet may
 * need to be converted to a private copy of data deep in the stack, say to compute a checksum".
 */
#include "eval.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RACES	48

/* Its checksum is the device's business: the change is sent, and is no error for the receiver. */
void checksum_offloaded(const struct zc_transport *t)
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	static struct frame f;
	size_t changed;
	bool copied;

	send_and_change(&w, buf);
	let_go(&w);
	next_frame(&w, &f, PAYLOAD);
	check(!f.ready, "a checksum was computed, and the device offers to do it");
	changed = received(&w, &copied);
	check(changed == PAYLOAD, "%zu of %d bytes are changed", changed, PAYLOAD);
}

/* What waits goes on, summed up on its way; how many bytes of its payload are changed. */
static size_t let_go_summed(const struct wire *w, bool *copied)
{
	static struct frame f;

	let_go(w);
	next_frame(w, &f, PAYLOAD);
	check(f.ready, "no checksum was computed, and the device does not do it");
	check(!checksum(w, &f), "the checksum does not fit the data");
	return received(w, copied);
}

/*
 * No device for checksums. UDP copies when it sends, and says so; TCP leaves it to those below,
 * who copy before they sum up.
 */
void checksum_without_offload(const struct zc_transport *t)
{
	struct wire w = wire_without_offload(t);
	char *buf = zc_pages(PAYLOAD);
	size_t changed;
	bool copied;

	send_and_change(&w, buf);
	changed = let_go_summed(&w, &copied);
	if (t->type == SOCK_DGRAM)
		check(!changed, "%zu bytes changed after the send", changed);
	check(!changed || changed == PAYLOAD, "%zu bytes changed while they were copied", changed);
	check(changed || copied, "the completion does not say that it was copied");
}

/* The device loses its offload while the packet waits: what is summed up is what is sent. */
void checksum_at_device(const struct zc_transport *t)
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	size_t changed;
	bool copied;

	send_and_change(&w, buf);
	offload(&w, false);
	changed = let_go_summed(&w, &copied);
	check(changed == PAYLOAD, "%zu of %d bytes are changed", changed, PAYLOAD);
}

/* Write to each page, again and again, in another process and on another CPU. */
static pid_t scribble(volatile uint8_t *shared)
{
	pid_t pid = must(fork());
	unsigned int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (i = LOOK % PAGE; i < PAYLOAD; i += PAGE)
			shared[i] ^= CHANGED;
	}
}

static uint8_t *shared_pages(void)
{
	void *at = mmap(NULL, PAYLOAD, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(at);
	zc_fill(at, PAYLOAD, false);
	return at;
}

/* As above, and the data change all the time: no packet may have a wrong checksum. */
void checksum_race(const struct zc_transport *t)
{
	struct wire w = wire(t);
	uint8_t *buf = shared_pages();
	static struct frame f;
	unsigned int i, sent, odd = 0;
	pid_t pid;

	hold(&w);
	/* as many as there is room for completions */
	for (sent = 0; sent < RACES; sent++) {
		if (send(w.p.tx, buf, PAYLOAD, MSG_ZEROCOPY) == -1 && errno == ENOBUFS)
			break;
	}
	check(sent > 3, "only %u sends: %s", sent, strerror(errno));
	offload(&w, false);
	pid = scribble(buf);
	let_go(&w);
	for (i = 0; i < sent; i++) {
		next_frame(&w, &f, PAYLOAD);
		check(f.ready, "no checksum was computed, and the device does not do it");
		check(!checksum(&w, &f), "packet %u: the checksum does not fit the data", i);
		odd += f.bytes[f.data + LOOK] >> 7;
	}
	kill(pid, SIGKILL);
	ktap_note("%u of %u packets were sent with a change", odd, sent);
}

/* As long as they change, what a filter has let pass is what is received. */
void filter_race(const struct zc_transport *t)
{
	struct wire w = wire(t);
	uint8_t *buf = shared_pages();
	static uint8_t got[PAYLOAD];
	unsigned int i, passed = 0;
	struct zc_set set = {};
	pid_t pid;

	only_unchanged(&w, w.p.rx, false);
	pid = scribble(buf);
	for (i = 0; i < RACES; i++) {
		zc_send(w.p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
		set.count++;
		if (!zc_poll(w.p.rx, POLLIN, SOON))
			continue;
		zc_recv(w.p.rx, got, sizeof(got));
		check(!(got[LOOK] & CHANGED), "datagram %u: the filter has let pass other data", i);
		passed++;
	}
	kill(pid, SIGKILL);
	zc_take_rest(w.p.tx, &set);
	ktap_note("%u of %d datagrams passed", passed, RACES);
}
