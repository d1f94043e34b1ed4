// SPDX-License-Identifier: GPL-2.0-only
/* Requests that are refused, and sends that fail: nothing is sent, taken or written. */
#include <netinet/in.h>
#include <stdio.h>

#include "notify.h"

#ifdef SCM_ZC_NOTIFICATION

/* The send fails and leaves the control message as it was. */
static void fails(struct zc_pair *p, struct request *r, int flags, int error)
{
	struct request before = *r;

	check(sendmsg(p->tx, &r->msg, flags) == -1, "it is sent, not refused: %s", strerror(error));
	check(errno == error, "sendmsg: %s, not %s", strerror(errno), strerror(error));
	check(!memcmp(&before, r, sizeof(before)), "the control message was changed");
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

void bad_counts(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);

	refuse_count(&p, 0);
	refuse_count(&p, MAX + 1);
	refuse_count(&p, 0x7fffffff);
	refuse_count(&p, 0xffffffff);
	/* its length wraps around to that of one element */
	refuse_length(&p, 0x55555556, LENGTH(0) + 8);
}

void bad_lengths(const struct zc_transport *t)
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
void beyond_the_buffer(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct request r;

	ask(&r, 2, PAYLOAD);
	r.msg.msg_controllen = CMSG_LEN(LENGTH(1));
	refused(&p, &r, EINVAL, "cmsg_len beyond msg_controllen");
}

void two_requests(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct request r;

	ask(&r, 1, PAYLOAD);
	memcpy(r.control.buf + CMSG_SPACE(LENGTH(1)), r.control.buf, CMSG_SPACE(LENGTH(1)));
	r.msg.msg_controllen *= 2;
	refused(&p, &r, EINVAL, "two requests");
}

/* AF_VSOCK ignores other control messages, but not this one. */
void without_option(const struct zc_transport *t)
{
	struct zc_pair p = zc_plain_pair(t);
	struct request r;

	zc_pair(t);
	ask(&r, 1, PAYLOAD);
	fails(&p, &r, 0, EINVAL);
}

/* The option is that of the socket, which can lose it again. */
void option_taken_back(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r;
	int zero = 0;

	completed(&p, 1);
	must(setsockopt(p.tx, SOL_SOCKET, SO_ZEROCOPY, &zero, sizeof(zero)));
	ask(&r, 1, PAYLOAD);
	fails(&p, &r, 0, EINVAL);
	zc_take_rest(p.tx, &set);
}

/* A send that fails for another reason takes nothing. */
void failed_send(const struct zc_transport *t)
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

void shut_down(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r;

	completed(&p, 1);
	must(shutdown(p.tx, SHUT_WR));
	ask(&r, MAX, PAYLOAD);
	fails(&p, &r, MSG_NOSIGNAL, EPIPE);
	zc_take_rest(p.tx, &set);
}

/* EAGAIN, as long as the receiver does not read. */
void no_room(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	struct request r;
	static char filler[64 << 10];

	completed(&p, 1);
	/* TCP makes room again while acknowledgements come: full is what stays so */
	do {
		while (send(p.tx, filler, sizeof(filler), MSG_DONTWAIT) > 0)
			;
		check(errno == EAGAIN, "send: %s", strerror(errno));
		zc_sleep(SOON);
	} while (send(p.tx, filler, 1, MSG_DONTWAIT) > 0);
	ask(&r, MAX, PAYLOAD);
	fails(&p, &r, MSG_DONTWAIT, EAGAIN);
	zc_take_rest(p.tx, &set);
}

/* RDS has cookies of its own and takes no request, with and without the option. */
void rds(const struct zc_transport *t)
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

void unix_sockets(const struct zc_transport *t)
{
	(void)t;
	other_family(AF_UNIX, SOCK_STREAM);
	other_family(AF_UNIX, SOCK_DGRAM);
}

#endif
