/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of zc_lifetime, and the buffers that they send.
 *
 * Buffers are pages of a memfd. It can be sealed against writing only when nobody has a reference
 * to its pages any more, so F_SEAL_WRITE tells exactly whether the kernel gave all of them back.
 */
#ifndef KZC_LIFETIME_H
#define KZC_LIFETIME_H

#include "ktap.h"
#include "zc.h"

#define PAYLOAD		(4 * PAGE)

struct buffer {
	int fd;
	char *at;
};

/* PAYLOAD bytes, filled and mapped. */
struct buffer buffer(void);
void unmap(struct buffer *b);
/* Does the kernel use pages of it? It must not be mapped any more. */
bool in_use(const struct buffer *b);
/* All pages of it have to be free, now or as soon as the sockets are gone. */
void given_back(struct buffer *b);

/* Receive the payload; how many bytes of it are changed. */
size_t received(struct zc_pair *p, size_t held);
/* The first @count sends have to be completed, and no more. */
void completed(int fd, uint32_t count);

/* change.c */
void after_completion(const struct zc_transport *t);
void before_completion(const struct zc_transport *t);
void no_flag(const struct zc_transport *t);
void no_option(const struct zc_transport *t);
void held_until_completed(const struct zc_transport *t);
void copied_after_zerocopy(const struct zc_transport *t);

/* gone.c */
void unmapped(const struct zc_transport *t);
void remapped(const struct zc_transport *t);
void forked(const struct zc_transport *t);
void execed(const struct zc_transport *t);
void exited(const struct zc_transport *t);
void killed(const struct zc_transport *t);
void closed(const struct zc_transport *t);
void both_closed(const struct zc_transport *t);
void receiver_closed(const struct zc_transport *t);
void shut_down(const struct zc_transport *t);
void in_parts(const struct zc_transport *t);

/* limits.c */
void memlock(const struct zc_transport *t);
void memlock_balance(const struct zc_transport *t);
void optmem(const struct zc_transport *t);

/* refused.c */
void zero_length(const struct zc_transport *t);
void bad_address(const struct zc_transport *t);
void no_room(const struct zc_transport *t);

#endif
