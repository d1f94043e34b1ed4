/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices, queueing disciplines and filters by rtnetlink, and a pair of veth devices whose far one
 * is in a network namespace of its own.
 */
#ifndef KZC_LINK_H
#define KZC_LINK_H

#include <stddef.h>
#include <linux/rtnetlink.h>

/* as on loopback: what is sent is not cut into pieces */
#define LINK_MTU	65535

/* what the two devices of link_veth() are called at each end */
#define LINK_NEAR4	"10.253.0.1"
#define LINK_FAR4	"10.253.0.2"
#define LINK_NEAR6	"fdfd::1"
#define LINK_FAR6	"fdfd::2"
#define LINK_NEAR_MAC	"\x02\0\0\0\0\x01"
#define LINK_FAR_MAC	"\x02\0\0\0\0\x02"

struct link_request {
	struct nlmsghdr head;
	char rest[2048];
};

/* Begin a request whose fixed part is the @len bytes of @body. */
void link_begin(struct link_request *q, int type, int flags, const void *body, size_t len);
/* Add an attribute; of one that others go into, link_end() says that it has all of them. */
struct rtattr *link_add(struct link_request *q, int type, const void *data, size_t len);
void link_end(struct link_request *q, struct rtattr *a);
/* A device's number; fault injection spares that, and requests. */
unsigned int link_index(const char *device);
/* Send a request and wait for its acknowledgement: 0, or the number of its error. */
int link_ask(struct link_request *q);

/*
 * A pair of devices that are up, @near here and @far in a namespace of its own, which is returned;
 * -1 with errno where it cannot be had: EINVAL of a kernel without namespaces, EOPNOTSUPP without
 * such devices. Without IPv6 they have no such addresses.
 */
int link_veth(const char *near, const char *far);

#endif
