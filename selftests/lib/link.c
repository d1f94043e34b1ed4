// SPDX-License-Identifier: GPL-2.0-only
/* Requests of rtnetlink, and a pair of veth devices: see link.h. */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/veth.h>

#include "spare.h"

void link_begin(struct link_request *q, int type, int flags, const void *body, size_t len)
{
	memset(q, 0, sizeof(*q));
	q->head.nlmsg_len = NLMSG_LENGTH(len);
	q->head.nlmsg_type = type;
	q->head.nlmsg_flags = flags | NLM_F_REQUEST | NLM_F_ACK;
	memcpy(NLMSG_DATA(&q->head), body, len);
}

struct rtattr *link_add(struct link_request *q, int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_SPACE(len);
	return a;
}

void link_end(struct link_request *q, struct rtattr *a)
{
	a->rta_len = (char *)q + q->head.nlmsg_len - (char *)a;
}

unsigned int link_index(const char *device)
{
	unsigned int index;

	spare_begin();
	index = if_nametoindex(device);
	spare_end();
	return index;
}

int link_ask(struct link_request *q)
{
	char answer[4096] __attribute__((aligned(8)));
	struct nlmsghdr *head = (void *)answer;
	int error = EPROTO, fd;

	spare_begin();
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (send(fd, q, q->head.nlmsg_len, 0) == (ssize_t)q->head.nlmsg_len &&
	    recv(fd, answer, sizeof(answer), 0) >= (ssize_t)NLMSG_LENGTH(sizeof(int)) &&
	    head->nlmsg_type == NLMSG_ERROR)
		error = -((struct nlmsgerr *)NLMSG_DATA(head))->error;
	close(fd);
	spare_end();
	return error;
}

/* The same with the error in errno. */
static bool asked(struct link_request *q)
{
	int error = link_ask(q);

	if (error)
		errno = error;
	return !error;
}

static void add_name(struct link_request *q, const char *name, const char *mac)
{
	const uint32_t mtu = LINK_MTU;

	link_add(q, IFLA_IFNAME, name, strlen(name) + 1);
	link_add(q, IFLA_ADDRESS, mac, 6);
	link_add(q, IFLA_MTU, &mtu, sizeof(mtu));
}

static bool make_pair(const char *near, const char *far, int netns)
{
	struct ifinfomsg none = {};
	struct rtattr *info, *data, *peer;
	struct link_request q;

	link_begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none, sizeof(none));
	add_name(&q, near, LINK_NEAR_MAC);
	info = link_add(&q, IFLA_LINKINFO, NULL, 0);
	link_add(&q, IFLA_INFO_KIND, "veth", 4);
	data = link_add(&q, IFLA_INFO_DATA, NULL, 0);
	peer = link_add(&q, VETH_INFO_PEER, &none, sizeof(none));
	add_name(&q, far, LINK_FAR_MAC);
	link_add(&q, IFLA_NET_NS_FD, &netns, sizeof(netns));
	link_end(&q, peer);
	link_end(&q, data);
	link_end(&q, info);
	return asked(&q);
}

static bool add_address(const char *device, int family, const char *text, int bits)
{
	struct ifaddrmsg m = {
		.ifa_family = family, .ifa_prefixlen = bits,
		.ifa_flags = IFA_F_NODAD, .ifa_index = link_index(device),
	};
	size_t len = family == AF_INET ? 4 : 16;
	struct link_request q;
	char address[16];

	link_begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	inet_pton(family, text, address);
	link_add(&q, IFA_LOCAL, address, len);
	link_add(&q, IFA_ADDRESS, address, len);
	return asked(&q);
}

static bool is_local(const uint8_t *ipv6)
{
	FILE *f = fopen("/proc/thread-self/net/ipv6_route", "r");
	char wanted[36], line[256];
	bool found = false;
	int i;

	for (i = 0; i < 16; i++)
		snprintf(wanted + 2 * i, 3, "%02x", ipv6[i]);
	strcpy(wanted + 32, " 80"); /* 128 bits */
	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, wanted, 35);
	if (f)
		fclose(f);
	return found;
}

/*
 * An IPv6 address has its local route later, from addrconf's workqueue, though there is nothing to
 * detect: until then neighbours are answered, and what they send is dropped in ip6_forward().
 */
static bool add_ipv6(const char *device, const char *text)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint8_t address[16];
	int tries;

	if (!add_address(device, AF_INET6, text, 64))
		return false;
	inet_pton(AF_INET6, text, address);
	for (tries = 0; tries < 1000 && !is_local(address); tries++)
		nanosleep(&pause, NULL);
	return tries < 1000;
}

static bool bring_up(const char *device, const char *ipv4, const char *ipv6)
{
	struct ifinfomsg m = {
		.ifi_index = link_index(device), .ifi_flags = IFF_UP, .ifi_change = IFF_UP,
	};
	struct link_request q;

	link_begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	/* without IPv6 only what needs it cannot be */
	return asked(&q) && add_address(device, AF_INET, ipv4, 24) &&
	       (add_ipv6(device, ipv6) || true);
}

int link_veth(const char *near, const char *far)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), other;
	int error;
	bool good;

	if (own == -1 || unshare(CLONE_NEWNET))
		return -1;
	other = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(own, CLONE_NEWNET) || other == -1)
		return -1;
	good = make_pair(near, far, other) && bring_up(near, LINK_NEAR4, LINK_NEAR6);
	good = good && !setns(other, CLONE_NEWNET) && bring_up(far, LINK_FAR4, LINK_FAR6);
	error = errno;
	if (setns(own, CLONE_NEWNET))
		return -1;
	close(own);
	errno = error;
	return good ? other : -1;
}
