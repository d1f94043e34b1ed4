/* SPDX-License-Identifier: GPL-2.0-only */
/* Queueing disciplines, classifiers and their actions: see tc(8). What a kernel lacks is skipped. */
#ifndef KZC_TC_H
#define KZC_TC_H

#include "link.h"

/* What the device sends from now on waits until it is let go. */
void tc_hold(const char *device);
void tc_let_go(const char *device);

/*
 * Begin a filter of this kind for all that comes into a device (@parent TC_H_MIN_INGRESS) or
 * leaves it, before it is put into a queue (TC_H_MIN_EGRESS). Of the attribute that is returned
 * tc_end() says that it has all its options.
 */
struct rtattr *tc_filter(struct link_request *q, const char *device, unsigned int parent,
			 const char *kind);
/* Add the one action of a filter to its options, as the attribute @type of them. */
void tc_action(struct link_request *q, int type, const char *kind, int parameters,
	       const void *data, size_t len);
void tc_end(struct link_request *q, struct rtattr *options, const char *what);
/* Take the filters off a device again. */
void tc_no_filters(const char *device);

#endif
