// SPDX-License-Identifier: GPL-2.0-only
/* What a request is answered with. */
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "notify.h"

#ifdef SCM_ZC_NOTIFICATION

void returned(const struct zc_transport *t)
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
void field_zerocopy(const struct zc_transport *t)
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

void zero_length(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };

	completed(&p, 1);
	check(send_and_ask(p.tx, 1, 0, MSG_ZEROCOPY, &set) == 1, "the completion did not come");
}

/* From 1 to MAX elements of 20 that are there, oldest first; timestamps stay where they are. */
void counts(const struct zc_transport *t)
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

/* With nothing in between, all that follow are one element. */
void coalesced(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 5 };

	completed(&p, set.count);
	check(send_and_ask(p.tx, MAX, PAYLOAD, 0, &set) == 1, "not one range");
	check(set.done == set.count, "it has %u of %u sends", set.done, set.count);
}

/* An ICMP error stays on the queue, and the socket's error is returned as ever. */
void icmp(const struct zc_transport *t)
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

/* Completions that were put back do not become one with those queued since, or are lost. */
void read_only_control(const struct zc_transport *t)
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
void read_only_header(const struct zc_transport *t)
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

void with_others(const struct zc_transport *t)
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
void corked(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };

	completed(&p, 1);
	zc_send(p.tx, payload, 100, MSG_MORE);
	check(send_and_ask(p.tx, MAX, 100, MSG_MORE, &set) == 1, "the completion did not come");
	check(send_and_ask(p.tx, MAX, 100, 0, &set) == 0, "a completion too many");
}

void sent_by_sendmmsg(const struct zc_transport *t)
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

/*
 * Ids are 32 bits and begin with 0, so they wrap after 2^32 sends: hours, and no other way leads
 * there from user space. kzc tests it on a kernel that is changed to begin shortly before.
 */
void wrap(const struct zc_transport *t)
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

#endif
