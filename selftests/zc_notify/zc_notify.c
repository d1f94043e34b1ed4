// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCM_ZC_NOTIFICATION, with which sendmsg returns MSG_ZEROCOPY completions: each field and error
 * that Documentation/networking/msg_zerocopy.rst of a kernel with it describes.
 *
 * Its number differs between trees, so it is that of the headers it is compiled against. Without
 * one all that needs it is skipped.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/net_tstamp.h>
#include <linux/socket.h>

#include "ktap.h"
#include "zc.h"

#define ON_INET		(ON_TCP | ON_UDP)
#define PAYLOAD		PAGE

/* What no kernel knows is refused where control messages are read. It is so on every kernel. */
static void unknown_type(const struct zc_transport *t)
{
	char control[CMSG_SPACE(4)] __attribute__((aligned(8))) = "";
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	struct zc_pair p = zc_pair(t);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = 0x7ffe;
	cm->cmsg_len = CMSG_LEN(4);
	must_fail(sendmsg(p.tx, &msg, MSG_DONTWAIT), EINVAL);
}

#ifdef SCM_ZC_NOTIFICATION

#define MAX		ZC_NOTIFICATION_MAX
#define ROOM		(MAX + 2)
#define LENGTH(n)	(sizeof(struct zc_info) + (n) * sizeof(struct zc_info_elem))

/* A sendmsg with a request for @asked completions. The control buffer has more room than that. */
struct request {
	union {
		char buf[2 * CMSG_SPACE(LENGTH(ROOM))];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr msg;
	struct cmsghdr *cm;
	struct zc_info *zc;
	uint32_t asked;
};

static char payload[PAYLOAD] __attribute__((aligned(PAGE)));

static void ask(struct request *r, uint32_t asked, size_t len)
{
	memset(r, 0, sizeof(*r));
	/* what is there before must not be taken for an answer */
	memset(&r->control, 0xa5, sizeof(r->control));
	r->asked = asked;
	r->iov = (struct iovec){ payload, len };
	r->msg.msg_iov = &r->iov;
	r->msg.msg_iovlen = 1;
	r->msg.msg_control = &r->control;
	r->msg.msg_controllen = CMSG_SPACE(LENGTH(asked > ROOM ? ROOM : asked));
	r->cm = CMSG_FIRSTHDR(&r->msg);
	r->cm->cmsg_level = SOL_SOCKET;
	r->cm->cmsg_type = SCM_ZC_NOTIFICATION;
	r->cm->cmsg_len = CMSG_LEN(LENGTH(asked > ROOM ? ROOM : asked));
	r->zc = (void *)CMSG_DATA(r->cm);
	r->zc->nr_elems = asked;
}

/* An answer is the first control message, as long as the request; all of it is checked. */
static uint32_t answer(struct request *r, struct zc_set *set)
{
	const struct zc_info_elem empty = {};
	const struct zc_info_elem *e;
	uint32_t i, id;

	check(r->msg.msg_controllen == CMSG_SPACE(LENGTH(r->asked)), "msg_controllen is %zu",
	      r->msg.msg_controllen);
	r->cm = CMSG_FIRSTHDR(&r->msg);
	r->zc = (void *)CMSG_DATA(r->cm);
	check(r->cm->cmsg_level == SOL_SOCKET && r->cm->cmsg_type == SCM_ZC_NOTIFICATION,
	      "a message of level %d and type %d", r->cm->cmsg_level, r->cm->cmsg_type);
	check(r->cm->cmsg_len == CMSG_LEN(LENGTH(r->asked)), "cmsg_len is %zu", r->cm->cmsg_len);
	check(r->zc->nr_elems <= r->asked, "nr_elems is %u, %u were asked for", r->zc->nr_elems,
	      r->asked);
	for (i = 0; i < r->asked; i++) {
		e = &r->zc->arr[i];
		if (i >= r->zc->nr_elems) {
			check(!memcmp(e, &empty, sizeof(empty)), "element %u of %u is not zero",
			      i, r->zc->nr_elems);
			continue;
		}
		check(e->zerocopy <= 1, "zerocopy is %u", e->zerocopy);
		check(!memcmp(e->reserved, empty.reserved, sizeof(e->reserved)),
		      "reserved bytes are not zero");
		check(e->lo <= e->hi && e->hi < set->count, "%u..%u of %u sends", e->lo, e->hi,
		      set->count);
		for (id = e->lo; id <= e->hi; id++) {
			check(!__atomic_fetch_add(&set->seen[id], 1, __ATOMIC_SEQ_CST),
			      "send %u is completed twice", id);
			__atomic_fetch_add(&set->done, 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&set->copied, !e->zerocopy, __ATOMIC_SEQ_CST);
		}
	}
	return r->zc->nr_elems;
}

/* Send @len bytes and return how many elements came back. */
static uint32_t send_and_ask(int fd, uint32_t asked, size_t len, int flags, struct zc_set *set)
{
	struct request r;
	ssize_t sent;

	ask(&r, asked, len);
	sent = must(sendmsg(fd, &r.msg, flags));
	check((size_t)sent == len, "%zd bytes sent of %zu", sent, len);
	return answer(&r, set);
}

static void send_zc(int fd)
{
	zc_send(fd, payload, PAYLOAD, MSG_ZEROCOPY);
}

/* @count sends, completed and received. */
static void completed(struct zc_pair *p, int count)
{
	static char got[PAYLOAD];
	int i;

	for (i = 0; i < count; i++) {
		send_zc(p->tx);
		zc_recv(p->rx, got, PAYLOAD);
	}
	zc_wait(p->tx, POLLERR);
	/* a stream's last one waits for an acknowledgement */
	zc_sleep(p->t->type == SOCK_STREAM && p->t->family != AF_VSOCK ? 3 * SOON : 1);
}

/* Each send leaves a timestamp, so completions do not become one range. */
static void with_timestamps(int fd)
{
	int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_TSONLY;

	must(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
}

/* What is first on the error queue, or its origin is SO_EE_ORIGIN_NONE if there is nothing. */
static struct sock_extended_err first_error(int fd)
{
	char control[512] __attribute__((aligned(8))), data[PAYLOAD];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == -1) {
		check(errno == EAGAIN, "recvmsg: %s", strerror(errno));
		return (struct sock_extended_err){};
	}
	for (cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm)) {
		if (cm->cmsg_level != SOL_SOCKET)
			return *(struct sock_extended_err *)CMSG_DATA(cm);
	}
	ktap_fail("an entry of the error queue without sock_extended_err");
}

/* Takes everything off the error queue; how many entries of @origin there are. */
static int count_errors(int fd, int origin, struct zc_set *set)
{
	struct sock_extended_err ee;
	int count = 0;
	uint32_t id;

	while ((ee = first_error(fd)).ee_origin != SO_EE_ORIGIN_NONE) {
		if (ee.ee_origin == origin)
			count++;
		for (id = ee.ee_info; ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY && id <= ee.ee_data;
		     id++) {
			check(id < set->count && !set->seen[id]++, "send %u once more", id);
			set->done++;
		}
	}
	return count;
}

static void returned(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct zc_range r;
	static char got[PAYLOAD];

	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 0, "nothing was sent before");
	zc_recv(p.rx, got, PAYLOAD);
	completed(&p, 1);
	/* the send that asks needs no flag */
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 1, "the completion did not come");
	check(set.done == 1, "%u completions", set.done);
	check(!zc_take(p.tx, &r), "the completion is still on the error queue");
	zc_recv(p.rx, got, PAYLOAD);
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 0, "a completion too many");
}

/* As the error queue has it, field zerocopy tells whether there was a copy. */
static void field_zerocopy(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 2 };
	struct zc_range r;

	completed(&p, 1);
	check(zc_take(p.tx, &r) && !r.lo && !r.hi, "no completion of the first send");
	completed(&p, 1);
	check(send_and_ask(p.tx, 1, PAYLOAD, 0, &set) == 1, "no completion of the second");
	check(set.seen[1] && r.copied == set.copied, "zerocopy is %d, the error queue had %d",
	      !set.copied, !r.copied);
}

static void zero_length(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };

	completed(&p, 1);
	check(send_and_ask(p.tx, 1, 0, MSG_ZEROCOPY, &set) == 1, "the completion did not come");
}

/* From 1 to MAX elements of 20 that are there, oldest first; timestamps stay where they are. */
static void counts(const struct zc_transport *t)
{
	static const uint32_t ask_for[] = { 1, 2, MAX - 1, MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ask_for); i++) {
		struct zc_pair p = zc_pair(t);
		struct zc_set set = { .count = 20 };
		uint32_t n = ask_for[i], id, got;
		struct sock_extended_err ee;

		with_timestamps(p.tx);
		completed(&p, set.count);
		got = send_and_ask(p.tx, n, PAYLOAD, 0, &set);
		check(got == n, "%u elements, asked for %u", got, n);
		check(set.done == n, "%u sends in %u elements", set.done, n);
		for (id = 0; id < n; id++)
			check(set.seen[id], "send %u is not among the %u oldest", id, n);
		ee = first_error(p.tx);
		check(ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING, "origin %d comes first",
		      ee.ee_origin);
		/* one per send, that of the one that asked, too */
		got = count_errors(p.tx, SO_EE_ORIGIN_TIMESTAMPING, &set) + 1;
		check(got == set.count + 1, "%u timestamps of %u", got, set.count + 1);
		check(set.done == set.count, "%u sends were never completed",
		      set.count - set.done);
		close(p.tx);
		close(p.rx);
	}
}

/* The request is refused (with any errno if @error is 0), nothing is sent, taken or written. */
static void refused(struct zc_pair *p, struct request *r, int error, const char *what)
{
	struct request before = *r;
	struct zc_range range;
	static char got[PAYLOAD];
	ssize_t sent;

	completed(p, 1);
	sent = sendmsg(p->tx, &r->msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	check(sent == -1, "%s: %zd bytes sent", what, sent);
	check(!error || errno == error, "%s: %s, not %s", what, strerror(errno), strerror(error));
	check(!memcmp(&before, r, sizeof(before)), "%s: the control message was changed", what);
	check(recv(p->rx, got, PAYLOAD, MSG_DONTWAIT) <= 0, "%s: data was sent", what);
	check(zc_take(p->tx, &range), "%s: the completion is gone", what);
}

static void refuse_count(struct zc_pair *p, uint32_t count)
{
	struct request r;
	char what[32];

	ask(&r, count, PAYLOAD);
	snprintf(what, sizeof(what), "nr_elems %u", count);
	refused(p, &r, EINVAL, what);
}

static void refuse_length(struct zc_pair *p, uint32_t count, size_t len)
{
	struct request r;
	char what[64];

	ask(&r, count, PAYLOAD);
	r.cm->cmsg_len = CMSG_LEN(len);
	r.msg.msg_controllen = CMSG_SPACE(len);
	snprintf(what, sizeof(what), "nr_elems %u with %zu bytes", count, len);
	refused(p, &r, EINVAL, what);
}

static void bad_counts(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);

	refuse_count(&p, 0);
	refuse_count(&p, MAX + 1);
	refuse_count(&p, 0x7fffffff);
	refuse_count(&p, 0xffffffff);
	/* its length wraps around to that of one element */
	refuse_length(&p, 0x55555556, LENGTH(0) + 8);
}

static void bad_lengths(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	size_t len;

	for (len = 0; len <= LENGTH(2); len++) {
		if (len != LENGTH(1))
			refuse_length(&p, 1, len);
	}
	refuse_length(&p, MAX, LENGTH(MAX) - 1);
	refuse_length(&p, MAX, LENGTH(MAX) + 1);
	refuse_length(&p, MAX, LENGTH(MAX - 1));
	refuse_length(&p, MAX, LENGTH(MAX + 1));
}

/* Longer than the control buffer: the protocol refuses it, where it reads control messages. */
static void beyond_the_buffer(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct request r;

	ask(&r, 2, PAYLOAD);
	r.msg.msg_controllen = CMSG_LEN(LENGTH(1));
	refused(&p, &r, EINVAL, "cmsg_len beyond msg_controllen");
}

static void two_requests(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct request r;

	ask(&r, 1, PAYLOAD);
	memcpy(r.control.buf + CMSG_SPACE(LENGTH(1)), r.control.buf, CMSG_SPACE(LENGTH(1)));
	r.msg.msg_controllen *= 2;
	refused(&p, &r, EINVAL, "two requests");
}

/* AF_VSOCK may ignore it instead, and then has to leave it as it was. */
static void without_option(const struct zc_transport *t)
{
	struct zc_pair p = zc_plain_pair(t);
	struct request r, before;

	zc_pair(t);
	ask(&r, 1, PAYLOAD);
	before = r;
	if (sendmsg(p.tx, &r.msg, 0) == -1)
		check(errno == EINVAL, "sendmsg: %s", strerror(errno));
	else
		check(t->family == AF_VSOCK, "it is answered");
	check(!memcmp(&before, &r, sizeof(r)), "the control message was changed");
}

/* The option is that of the socket, which can lose it again. */
static void option_taken_back(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r, before;
	int zero = 0;

	completed(&p, 1);
	must(setsockopt(p.tx, SOL_SOCKET, SO_ZEROCOPY, &zero, sizeof(zero)));
	ask(&r, 1, PAYLOAD);
	before = r;
	if (sendmsg(p.tx, &r.msg, 0) == -1)
		check(errno == EINVAL, "sendmsg: %s", strerror(errno));
	else
		check(t->family == AF_VSOCK, "it is answered");
	check(!memcmp(&before, &r, sizeof(r)), "the control message was changed");
	zc_take_rest(p.tx, &set);
}

/* A send that fails for another reason takes nothing. */
static void failed_send(const struct zc_transport *t)
{
	static char large[70000];
	struct zc_pair p = zc_pair(t);
	struct request r;

	ask(&r, MAX, PAYLOAD);
	if (t->type == SOCK_DGRAM) {
		r.iov = (struct iovec){ large, sizeof(large) };
		refused(&p, &r, EMSGSIZE, "a datagram that is too long");
		return;
	}
	r.iov = (struct iovec){ (void *)8, PAYLOAD };
	/* AF_VSOCK calls it ENOMEM: zc_lifetime says more */
	refused(&p, &r, t->family == AF_VSOCK ? 0 : EFAULT, "a bad address");
}

static void shut_down(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r, before;

	completed(&p, 1);
	must(shutdown(p.tx, SHUT_WR));
	ask(&r, MAX, PAYLOAD);
	before = r;
	must_fail(sendmsg(p.tx, &r.msg, MSG_NOSIGNAL), EPIPE);
	check(!memcmp(&before, &r, sizeof(r)), "the control message was changed");
	zc_take_rest(p.tx, &set);
}

/* EAGAIN, as long as the receiver does not read. */
static void no_room(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r, before;
	static char filler[64 << 10];

	completed(&p, 1);
	while (send(p.tx, filler, sizeof(filler), MSG_DONTWAIT) > 0)
		;
	check(errno == EAGAIN, "send: %s", strerror(errno));
	ask(&r, MAX, PAYLOAD);
	before = r;
	must_fail(sendmsg(p.tx, &r.msg, MSG_DONTWAIT), EAGAIN);
	check(!memcmp(&before, &r, sizeof(r)), "the control message was changed");
	zc_take_rest(p.tx, &set);
}

/* An ICMP error stays on the queue, and the socket's error is returned as ever. */
static void icmp(const struct zc_transport *t)
{
	bool v6 = t->family == AF_INET6;
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 2 };
	int one = 1, origin = v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
	struct sock_extended_err ee;

	must(setsockopt(p.tx, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &one,
			sizeof(one)));
	must(close(p.rx));
	send_zc(p.tx);
	zc_wait(p.tx, POLLERR);
	zc_sleep(SOON);
	must_fail(send(p.tx, payload, PAYLOAD, MSG_ZEROCOPY), ECONNREFUSED);
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 1, "no completion");
	check(set.done == 1 && set.seen[0], "not that of the first send");
	zc_sleep(SOON);
	ee = first_error(p.tx);
	check(ee.ee_origin == origin && ee.ee_errno == ECONNREFUSED,
	      "origin %d, ee_errno %u", ee.ee_origin, ee.ee_errno);
	check(count_errors(p.tx, origin, &set) == 1, "not one ICMP error for each send");
}

/* With nothing in between, all that follow are one element. */
static void coalesced(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 5 };

	completed(&p, set.count);
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 1, "not one range");
	check(set.done == set.count, "it has %u of %u sends", set.done, set.count);
}

/* Completions that were put back do not become one with those queued since, or are lost. */
static void read_only_control(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 2 };
	struct request *r = zc_pages(PAGE);

	completed(&p, 1);
	ask(r, MAX, PAYLOAD);
	must(mprotect(r, PAGE, PROT_READ));
	check(must(sendmsg(p.tx, &r->msg, 0)) == PAYLOAD, "not all was sent");
	check(r->zc->nr_elems == MAX, "memory that cannot be written to has changed");
	zc_recv(p.rx, payload, PAYLOAD);
	completed(&p, 1);
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) >= 1, "no completion");
	check(set.done == 2, "%u completions of 2", set.done);
}

/* Alone, the answer is as long as the request, and nothing but the control buffer is written. */
static void read_only_header(const struct zc_transport *t)
{
	struct msghdr *header = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r;

	must(header);
	completed(&p, 1);
	ask(&r, MAX, PAYLOAD);
	*header = r.msg;
	must(mprotect(header, PAGE, PROT_READ));
	must(sendmsg(p.tx, header, 0));
	check(answer(&r, &set) == 1, "the completion did not come");
}

/* Among other control messages: the answer is all that is in the buffer then. */
static void among_others(struct zc_pair *p, bool before, struct zc_set *set)
{
	size_t one = CMSG_SPACE(LENGTH(1)), mark = CMSG_SPACE(sizeof(uint32_t));
	struct cmsghdr *cm;
	struct request r;

	ask(&r, 1, PAYLOAD);
	if (before)
		memmove(r.control.buf + mark, r.control.buf, one);
	cm = (void *)(r.control.buf + (before ? 0 : one));
	memset(cm, 0, mark);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SO_MARK;
	cm->cmsg_len = CMSG_LEN(sizeof(uint32_t));
	r.msg.msg_controllen = one + mark;
	must(sendmsg(p->tx, &r.msg, 0));
	check(answer(&r, set) == 1, "the completion did not come");
}

static void with_others(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 2 };

	completed(&p, 1);
	among_others(&p, false, &set);
	zc_recv(p.rx, payload, PAYLOAD);
	completed(&p, 1);
	among_others(&p, true, &set);
}

/* A send that appends to a corked datagram does not look at control messages. It answers. */
static void corked(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };

	completed(&p, 1);
	zc_send(p.tx, payload, 100, MSG_MORE);
	check(send_and_ask(p.tx, MAX, 100, MSG_MORE, &set) == 1, "the completion did not come");
	check(send_and_ask(p.tx, MAX, 100, 0, &set) == 0, "a completion too many");
}

static void sent_by_sendmmsg(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 10 };
	struct mmsghdr vector[4] = {};
	struct request r[4];
	unsigned int i, elements = 0;

	with_timestamps(p.tx);
	completed(&p, set.count);
	for (i = 0; i < 4; i++) {
		ask(&r[i], 2 + i, PAYLOAD);
		vector[i].msg_hdr = r[i].msg;
	}
	check(must(sendmmsg(p.tx, vector, 4, 0)) == 4, "not all were sent");
	for (i = 0; i < 4; i++) {
		check(vector[i].msg_len == PAYLOAD, "message %u: %u bytes", i, vector[i].msg_len);
		r[i].msg = vector[i].msg_hdr;
		elements += answer(&r[i], &set);
	}
	check(elements == 10 && set.done == 10, "%u elements, %u sends", elements, set.done);
}

/* Readers of every kind at once: nothing is lost, nothing comes twice. */
static struct {
	struct zc_pair p;
	struct zc_set set;
	bool ended;
	unsigned int by_sendmsg, by_errqueue;
} hybrid;

static void *receive(void *unused)
{
	static char got[64 << 10];

	while (recv(hybrid.p.rx, got, sizeof(got), 0) > 0)
		;
	return unused;
}

static void *read_errqueue(void *unused)
{
	struct zc_range r;
	uint32_t id;

	while (!__atomic_load_n(&hybrid.ended, __ATOMIC_SEQ_CST)) {
		if (!zc_poll(hybrid.p.tx, POLLERR, 10) || !zc_take(hybrid.p.tx, &r))
			continue;
		for (id = r.lo; id <= r.hi; id++) {
			check(id < hybrid.set.count, "send %u", id);
			check(!__atomic_fetch_add(&hybrid.set.seen[id], 1, __ATOMIC_SEQ_CST),
			      "send %u is completed twice", id);
			__atomic_fetch_add(&hybrid.set.done, 1, __ATOMIC_SEQ_CST);
		}
		__atomic_fetch_add(&hybrid.by_errqueue, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void *send_many(void *half)
{
	unsigned int i, got;

	for (i = 0; i < hybrid.set.count / 2; i++) {
		got = send_and_ask(hybrid.p.tx, 1 + i % MAX, PAYLOAD, MSG_ZEROCOPY, &hybrid.set);
		__atomic_fetch_add(&hybrid.by_sendmsg, got, __ATOMIC_SEQ_CST);
	}
	return half;
}

static void concurrent(const struct zc_transport *t)
{
	void *(*run[])(void *) = { receive, read_errqueue, read_errqueue, send_many, send_many };
	pthread_t thread[ARRAY_SIZE(run)];
	unsigned int i;

	hybrid.p = zc_pair(t);
	hybrid.set.count = 2000;
	for (i = 0; i < ARRAY_SIZE(run); i++)
		check(!pthread_create(&thread[i], NULL, run[i], NULL), "no thread");
	pthread_join(thread[3], NULL);
	pthread_join(thread[4], NULL);
	for (i = 0; hybrid.set.done < hybrid.set.count && i < 10 * FOREVER * ktap_slowdown(); i++)
		zc_sleep(100);
	__atomic_store_n(&hybrid.ended, true, __ATOMIC_SEQ_CST);
	check(hybrid.set.done == hybrid.set.count, "%u of %u sends were never completed",
	      hybrid.set.count - hybrid.set.done, hybrid.set.count);
	ktap_note("%u elements by sendmsg, %u by the error queue", hybrid.by_sendmsg,
		  hybrid.by_errqueue);
}

/* RDS has cookies of its own and takes no request, with and without the option. */
static void rds(const struct zc_transport *t)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(4000),
	};
	int fd = socket(PF_RDS, SOCK_SEQPACKET, 0), one = 1;
	struct request r;

	(void)t;
	if (fd == -1)
		ktap_skip("this kernel has no RDS");
	must(bind(fd, (struct sockaddr *)&to, sizeof(to)));
	must(sendto(fd, payload, 100, 0, (struct sockaddr *)&to, sizeof(to)));
	ask(&r, 1, 100);
	r.msg.msg_name = &to;
	r.msg.msg_namelen = sizeof(to);
	must_fail(sendmsg(fd, &r.msg, 0), EINVAL);
	must(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	must_fail(sendmsg(fd, &r.msg, 0), EINVAL);
	must_fail(sendmsg(fd, &r.msg, MSG_ZEROCOPY), EINVAL);
}

/* Families that read control messages of their own only leave it as it was, or refuse it. */
static void other_family(int family, int type)
{
	struct request r, before;
	int fd[2];

	must(socketpair(family, type, 0, fd));
	ask(&r, 1, PAYLOAD);
	before = r;
	if (sendmsg(fd[0], &r.msg, 0) == -1)
		check(errno == EINVAL, "sendmsg: %s", strerror(errno));
	check(!memcmp(&before, &r, sizeof(r)), "the control message was changed");
}

static void unix_sockets(const struct zc_transport *t)
{
	(void)t;
	other_family(AF_UNIX, SOCK_STREAM);
	other_family(AF_UNIX, SOCK_DGRAM);
}

/*
 * Ids are 32 bits and begin with 0, so they wrap after 2^32 sends: hours, and no other way leads
 * there from user space. kzc tests it on a kernel that is changed to begin shortly before.
 */
static void wrap(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_range r;
	struct request q;
	uint32_t next;
	int i;

	completed(&p, 1);
	check(zc_take(p.tx, &r), "no completion");
	if (r.lo < 0x80000000)
		ktap_skip("the first id is %u, and 2^32 sends would take hours", r.lo);
	for (next = r.hi + 1, i = 0; i < 2 || next > 0x80000000; i++) {
		uint32_t last = next + 3, k;

		/* one of these ranges is from before to after */
		completed(&p, 4);
		ask(&q, MAX, PAYLOAD);
		must(sendmsg(p.tx, &q.msg, 0));
		zc_recv(p.rx, payload, PAYLOAD);
		for (k = 0; k < q.zc->nr_elems; k++) {
			check(q.zc->arr[k].lo == next, "%u..%u, not from %u on",
			      q.zc->arr[k].lo, q.zc->arr[k].hi, next);
			next = q.zc->arr[k].hi + 1;
		}
		check(next == last + 1, "completed up to %u, not %u", next - 1, last);
	}
}

#define NEEDS(run)	run

#else

static void absent(const struct zc_transport *t)
{
	(void)t;
	ktap_skip("this kernel has no SCM_ZC_NOTIFICATION");
}

#define NEEDS(run)	absent

#endif

static const struct ktap_test tests[] = {
	{ "unknown-type", unknown_type, ON_INET },
	{ "returned", NEEDS(returned), ON_ALL },
	{ "field-zerocopy", NEEDS(field_zerocopy), ON_ALL },
	{ "zero-length", NEEDS(zero_length), ON_TCP },
	{ "counts", NEEDS(counts), ON_UDP },
	{ "coalesced", NEEDS(coalesced), ON_ALL },
	{ "bad-counts", NEEDS(bad_counts), ON_UDP | ON_VSOCK },
	{ "bad-lengths", NEEDS(bad_lengths), ON_UDP | ON_VSOCK },
	{ "beyond-the-buffer", NEEDS(beyond_the_buffer), ON_INET },
	{ "two-requests", NEEDS(two_requests), ON_ALL },
	{ "without-option", NEEDS(without_option), ON_ALL },
	{ "option-taken-back", NEEDS(option_taken_back), ON_ALL },
	{ "failed-send", NEEDS(failed_send), ON_ALL },
	{ "shutdown", NEEDS(shut_down), ON_TCP | ON_VSOCK },
	{ "no-room", NEEDS(no_room), ON_TCP | 1u << VSOCK },
	{ "icmp", NEEDS(icmp), ON_UDP },
	{ "read-only-control", NEEDS(read_only_control), ON_ALL },
	{ "read-only-header", NEEDS(read_only_header), ON_ALL },
	{ "with-others", NEEDS(with_others), ON_INET },
	{ "corked", NEEDS(corked), ON_UDP },
	{ "sendmmsg", NEEDS(sent_by_sendmmsg), ON_UDP },
	{ "concurrent", NEEDS(concurrent), ON_ALL },
	{ "rds", NEEDS(rds), 0 },
	{ "unix", NEEDS(unix_sockets), 0 },
	{ "wrap", NEEDS(wrap), ON_ALL },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 30);
}
