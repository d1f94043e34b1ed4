/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of zc_notify, and the requests that they make.
 *
 * The number of SCM_ZC_NOTIFICATION differs between trees, so it is that of the headers this is
 * compiled against. Where they have none, there is nothing here.
 */
#ifndef KZC_NOTIFY_H
#define KZC_NOTIFY_H

#include <sys/socket.h>
#include <linux/socket.h>

#include "ktap.h"
#include "zc.h"

#define PAYLOAD		PAGE

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

extern char payload[PAYLOAD];

/* A request for @asked completions with a send of @len bytes. */
void ask(struct request *r, uint32_t asked, size_t len);
/*
 * An answer is the first control message, as long as the request; all of it is checked, and its
 * elements are counted. Returns how many there are.
 */
uint32_t answer(struct request *r, struct zc_set *set);
/* Send @len bytes and return how many elements came back. */
uint32_t send_and_ask(int fd, uint32_t asked, size_t len, int flags, struct zc_set *set);

/* Send the payload with zerocopy. */
void send_zc(int fd);
/* @count sends, received and completed. */
void completed(struct zc_pair *p, int count);
/* From now on each send leaves a timestamp, so that completions do not become one range. */
void with_timestamps(int fd);
/* What is first on the error queue, or its origin is SO_EE_ORIGIN_NONE if there is nothing. */
struct sock_extended_err first_error(int fd);
/* Takes everything off the error queue; how many entries of @origin there are. */
int count_errors(int fd, int origin, struct zc_set *set);

/* returned.c */
void returned(const struct zc_transport *t);
void field_zerocopy(const struct zc_transport *t);
void zero_length(const struct zc_transport *t);
void counts(const struct zc_transport *t);
void coalesced(const struct zc_transport *t);
void icmp(const struct zc_transport *t);
void read_only_control(const struct zc_transport *t);
void read_only_header(const struct zc_transport *t);
void with_others(const struct zc_transport *t);
void corked(const struct zc_transport *t);
void sent_by_sendmmsg(const struct zc_transport *t);
void wrap(const struct zc_transport *t);

/* refused.c */
void bad_counts(const struct zc_transport *t);
void bad_lengths(const struct zc_transport *t);
void beyond_the_buffer(const struct zc_transport *t);
void two_requests(const struct zc_transport *t);
void without_option(const struct zc_transport *t);
void option_taken_back(const struct zc_transport *t);
void failed_send(const struct zc_transport *t);
void shut_down(const struct zc_transport *t);
void no_room(const struct zc_transport *t);
void rds(const struct zc_transport *t);
void unix_sockets(const struct zc_transport *t);

/* concurrent.c */
void concurrent(const struct zc_transport *t);

#endif

#endif
