/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connected pairs of sockets over loopback, sends with MSG_ZEROCOPY, and their completions.
 *
 * Whatever fails here ends the test with its reason (ktap.h).
 */
#ifndef KZC_ZC_H
#define KZC_ZC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/types.h>

#include "ktap.h"

#define PAGE		4096
#define FOREVER		10	/* seconds that nothing takes under KVM */
#define SOON		50	/* milliseconds in which what comes at once has come */

enum { TCP4, TCP6, UDP4, UDP6, VSOCK, SEQPACKET, RAW, PACKET, ZC_TRANSPORTS };

#define ON_TCP		(1u << TCP4 | 1u << TCP6)
#define ON_UDP		(1u << UDP4 | 1u << UDP6)
#define ON_VSOCK	(1u << VSOCK | 1u << SEQPACKET)
#define ON_ALL		(ON_TCP | ON_UDP | ON_VSOCK)

struct zc_transport {
	const char *name;
	int family;
	int type;
};

extern const struct zc_transport zc_transports[ZC_TRANSPORTS];

/* The sends @lo to @hi are completed. */
struct zc_range {
	uint32_t lo;
	uint32_t hi;
	bool copied;
};

/* Which of the sends 0 to @count - 1 are completed; @copied counts ids. */
struct zc_set {
	uint32_t count;
	uint32_t done;
	uint32_t copied;
	uint8_t seen[4096];
};

/* A sender and a receiver. What a raw one receives begins with the IP header. */
struct zc_pair {
	const struct zc_transport *t;
	int tx;
	int rx;
};

/*
 * A connected pair. zc_pair() asks for SO_ZEROCOPY on the sender, too, and skips the test where
 * the kernel has it not for this transport.
 */
struct zc_pair zc_plain_pair(const struct zc_transport *t);
struct zc_pair zc_pair(const struct zc_transport *t);
/* A pair like the first, with a receive buffer of that size where it is a TCP one. */
struct zc_pair zc_sized_pair(const struct zc_transport *t, int window);

/*
 * Make what is sent next wait on its way: behind a closed window (TCP), in a corked datagram (UDP),
 * or because nobody reads (vsock). zc_release() lets it go and takes what was sent before it off
 * the receiver; it uses @p->rx only.
 */
size_t zc_hold(struct zc_pair *p);
void zc_release(struct zc_pair *p, size_t held);

/* Send all of it in one call, with @flags; to a pair on hold it may be one call only. */
void zc_send(int fd, const void *buf, size_t len, int flags);

/* Receive exactly this much; a message at a time where there are messages. */
void zc_recv(int fd, void *buf, size_t len);

/* Take a completion off the error queue, if there is one; anything else there is a failure. */
bool zc_take(int fd, struct zc_range *r);
/* Take all that are there. Each id has to be new. */
void zc_take_all(int fd, struct zc_set *set);
/* Take all until none is missing; then there may be none left. */
void zc_take_rest(int fd, struct zc_set *set);

/* Poll for @events; false after @ms milliseconds. */
bool zc_poll(int fd, short events, int ms);
void zc_sleep(int ms);
/* zc_poll() with FOREVER. */
void zc_wait(int fd, short events);

/* Pages of this process that nobody else has. */
void *zc_pages(size_t len);
/* Fill with the byte of each place; @change makes all of them different. */
void zc_fill(void *buf, size_t len, bool change);
/* How many bytes are as filled with @change; all others have to be as filled without. */
size_t zc_changed(const void *buf, size_t len);

/* Wait for a child; when it failed, so does the test. */
void zc_reap(int pid);

/* A file of one number, as below /proc/sys. */
long zc_read_number(const char *path);
void zc_write_number(const char *path, long value);

#endif
