// SPDX-License-Identifier: GPL-2.0-only
/* A pair of veth devices by rtnetlink, the far one in a network namespace of its own. */
#include "zcbench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

/* the largest there is, as on loopback: what is sent is not cut into pieces */
#define MTU	65535

struct request {
	struct nlmsghdr head;
	char rest[1024];
};

static struct rtattr *add(struct request *q, int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_SPACE(len);
	return a;
}

static void end(struct request *q, struct rtattr *a)
{
	a->rta_len = (char *)q + q->head.nlmsg_len - (char *)a;
}

static void add_name(struct request *q, const char *name, uint8_t last)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, last };
	const uint32_t mtu = MTU;

	add(q, IFLA_IFNAME, name, strlen(name) + 1);
	add(q, IFLA_ADDRESS, mac, sizeof(mac));
	add(q, IFLA_MTU, &mtu, sizeof(mtu));
}

/* Send a request and wait for its acknowledgement. */
static bool done(struct request *q)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char answer[1024] __attribute__((aligned(8)));
	struct nlmsghdr *head = (void *)answer;
	bool good;

	q->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	good = send(fd, q, q->head.nlmsg_len, 0) == (ssize_t)q->head.nlmsg_len &&
	       recv(fd, answer, sizeof(answer), 0) >= (ssize_t)NLMSG_LENGTH(sizeof(int)) &&
	       head->nlmsg_type == NLMSG_ERROR &&
	       !((struct nlmsgerr *)NLMSG_DATA(head))->error;
	close(fd);
	return good;
}

static bool make_pair(int far)
{
	struct ifinfomsg none = {};
	struct rtattr *info, *data, *peer;
	struct request q = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(none)),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
		},
	};

	add_name(&q, NEAR, 1);
	info = add(&q, IFLA_LINKINFO, NULL, 0);
	add(&q, IFLA_INFO_KIND, "veth", 4);
	data = add(&q, IFLA_INFO_DATA, NULL, 0);
	peer = add(&q, VETH_INFO_PEER, &none, sizeof(none));
	add_name(&q, FAR, 2);
	add(&q, IFLA_NET_NS_FD, &far, sizeof(far));
	end(&q, peer);
	end(&q, data);
	end(&q, info);
	return done(&q);
}

static bool add_address(const char *device, int family, const char *text, int bits)
{
	struct ifaddrmsg m = {
		.ifa_family = family, .ifa_prefixlen = bits,
		.ifa_flags = IFA_F_NODAD, .ifa_index = if_nametoindex(device),
	};
	struct request q = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(m)),
			.nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
		},
	};
	size_t len = family == AF_INET ? 4 : 16;
	char address[16];

	memcpy(NLMSG_DATA(&q.head), &m, sizeof(m));
	inet_pton(family, text, address);
	add(&q, IFA_LOCAL, address, len);
	add(&q, IFA_ADDRESS, address, len);
	return done(&q);
}

static bool bring_up(const char *device, const char *ipv4, const char *ipv6)
{
	struct ifinfomsg m = {
		.ifi_index = if_nametoindex(device), .ifi_flags = IFF_UP, .ifi_change = IFF_UP,
	};
	struct request q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m)), .nlmsg_type = RTM_NEWLINK },
	};

	memcpy(NLMSG_DATA(&q.head), &m, sizeof(m));
	/* without IPv6 only its cells cannot be */
	return done(&q) && add_address(device, AF_INET, ipv4, 24) &&
	       (add_address(device, AF_INET6, ipv6, 64) || true);
}

int make_veth(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), far;
	bool good;

	if (own == -1 || unshare(CLONE_NEWNET))
		return -1;
	far = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(own, CLONE_NEWNET) || far == -1)
		return -1;
	good = make_pair(far) && bring_up(NEAR, "10.253.0.1", "fdfd::1");
	good = good && !setns(far, CLONE_NEWNET) && bring_up(FAR, "10.253.0.2", "fdfd::2");
	if (setns(own, CLONE_NEWNET))
		return -1;
	close(own);
	return good ? far : -1;
}
