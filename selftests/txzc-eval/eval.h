/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of txzc_eval, and what they send over: a pair of veth devices whose near end can hold
 * packets back when they are complete, so that what they hold can be changed meanwhile.
 */
#ifndef KZC_EVAL_H
#define KZC_EVAL_H

#include <linux/filter.h>

#include "ktap.h"
#include "zc.h"

#define NEAR		"near"
#define FAR		"far"
#define PAYLOAD		(4 * PAGE)
/* A byte of the payload that filters look at: no page begins or ends near it. */
#define LOOK		(2 * PAGE + 100)
#define CHANGED		0x80	/* what zc_fill() adds to each byte that it changes */

/* Sockets at both ends of veth, as in struct zc_pair; @tap sees each frame that arrives. */
struct wire {
	struct zc_pair p;
	int near;	/* network namespaces */
	int far;
	int tap;
};

/* A frame as it came: @at is where the IP header is, @data where the payload is. */
struct frame {
	uint8_t bytes[64 << 10];
	size_t len;
	size_t ip;
	size_t transport;
	size_t data;
	bool ready;	/* whether its checksum was computed */
};

/* wire.c: a pair over veth, connected, with SO_ZEROCOPY and neighbours that know each other */
struct wire wire(const struct zc_transport *t);
/* The same without a checksum offload, and so without scatter-gather either. */
struct wire wire_without_offload(const struct zc_transport *t);
void offload(const struct wire *w, bool on);
/* What is sent waits at the near device until it is let go. */
void hold(const struct wire *w);
void let_go(const struct wire *w);
/* A payload is sent and held, and all of it changes meanwhile. */
void send_and_change(const struct wire *w, char *buf);
/* Enter the network namespace @fd. */
void enter(int fd);
int packet_socket(const char *device, int type, int protocol);
/* The next frame of this transport with a payload that has at least @payload bytes. */
void next_frame(const struct wire *w, struct frame *f, size_t payload);
/* The one's complement sum of its pseudo header and all behind the IP header: 0 where it fits. */
uint16_t checksum(const struct wire *w, const struct frame *f);
uint16_t sum16(const void *data, size_t len);
size_t ip_header(const struct wire *w);

/* Filters for a socket, which gives what follows its transport's header, or a whole frame. */
void only_unchanged(const struct wire *w, int fd, bool frames);

/* What is received in its whole; how many bytes are changed. */
size_t received(const struct wire *w, bool *copied);

/* headers.c */
void headers(const struct zc_transport *t);
void own_headers(const struct zc_transport *t);
/* checksum.c */
void checksum_offloaded(const struct zc_transport *t);
void checksum_without_offload(const struct zc_transport *t);
void checksum_at_device(const struct zc_transport *t);
void checksum_race(const struct zc_transport *t);
/* filter.c */
void looped(const struct zc_transport *t);
void filter_socket(const struct zc_transport *t);
void filter_race(const struct zc_transport *t);
void filter_tap(const struct zc_transport *t);
void filter_u32(const struct zc_transport *t);
void filter_bpf(const struct zc_transport *t);
/* order.c */
void out_of_order(const struct zc_transport *t);

#endif
