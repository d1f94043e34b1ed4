// SPDX-License-Identifier: GPL-2.0-only
/* Requests and answers: see notify.h. */
#include <linux/net_tstamp.h>
#include <poll.h>

#include "notify.h"

#ifdef SCM_ZC_NOTIFICATION

char payload[PAYLOAD] __attribute__((aligned(PAGE)));

void ask(struct request *r, uint32_t asked, size_t len)
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

uint32_t answer(struct request *r, struct zc_set *set)
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

uint32_t send_and_ask(int fd, uint32_t asked, size_t len, int flags, struct zc_set *set)
{
	struct request r;
	ssize_t sent;

	ask(&r, asked, len);
	sent = must(sendmsg(fd, &r.msg, flags));
	check((size_t)sent == len, "%zd bytes sent of %zu", sent, len);
	return answer(&r, set);
}

void send_zc(int fd)
{
	zc_send(fd, payload, PAYLOAD, MSG_ZEROCOPY);
}

void completed(struct zc_pair *p, int count)
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

void with_timestamps(int fd)
{
	int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_TSONLY;

	must(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
}

struct sock_extended_err first_error(int fd)
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

int count_errors(int fd, int origin, struct zc_set *set)
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

#endif
