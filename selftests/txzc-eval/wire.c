// SPDX-License-Identifier: GPL-2.0-only
/* A pair of sockets over veth, what holds packets back there, and frames as they arrive: eval.h. */
#include "eval.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#include "link.h"
#include "spare.h"
#include "tc.h"

#define PORT	4242
#define SMALL	64	/* bytes that neighbours get to know each other by */

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address(const struct zc_transport *t, bool near, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = t->family;
	if (t->family == AF_INET) {
		inet_pton(AF_INET, near ? LINK_NEAR4 : LINK_FAR4, &a->in.sin_addr);
		a->in.sin_port = htons(PORT);
		return sizeof(a->in);
	}
	inet_pton(AF_INET6, near ? LINK_NEAR6 : LINK_FAR6, &a->in6.sin6_addr);
	a->in6.sin6_port = htons(PORT);
	return sizeof(a->in6);
}

void enter(int fd)
{
	must(setns(fd, CLONE_NEWNET));
}

int packet_socket(const char *device, int type, int protocol)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET, .sll_protocol = htons(protocol),
		.sll_ifindex = link_index(device),
	};
	int fd = must(socket(AF_PACKET, type, 0)), one = 1, large = 16 << 20;

	must(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)));
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)));
	must(bind(fd, (void *)&a, sizeof(a)));
	return fd;
}

void offload(const struct wire *w, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM, .data = on };
	struct ifreq request = { .ifr_name = NEAR, .ifr_data = (void *)&value };
	int fd;

	(void)w;
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(ioctl(fd, SIOCETHTOOL, &request));
	close(fd);
}

static void devices(struct wire *w)
{
	int error = unshare(CLONE_NEWNET) ? errno : 0;

	if (error == EINVAL || error == EPERM)
		ktap_skip("no network namespaces: %s", strerror(error));
	check(!error, "a network namespace: %s", strerror(error));
	w->near = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	w->far = link_veth(NEAR, FAR);
	if (w->far == -1 && errno == EOPNOTSUPP)
		ktap_skip("this kernel has no veth devices");
	must(w->far);
}

static void connect_both(struct wire *w, int listener)
{
	const struct zc_transport *t = w->p.t;
	static char small[SMALL];
	union address a;
	socklen_t len = address(t, false, &a);
	int large = 4 << 20;

	w->p.tx = must(socket(t->family, t->type, 0));
	must(setsockopt(w->p.tx, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large)));
	must(connect(w->p.tx, &a.sa, len));
	w->p.rx = listener;
	if (t->type == SOCK_STREAM) {
		w->p.rx = must(accept(listener, NULL, NULL));
		close(listener);
	}
	zc_send(w->p.tx, small, sizeof(small), 0);
	zc_recv(w->p.rx, small, sizeof(small));
}

static struct wire make(const struct zc_transport *t, bool offloaded)
{
	int large = 16 << 20, one = 1, listener;
	struct wire w = { .p = { .t = t } };
	union address a;
	socklen_t len;

	spare_begin();
	devices(&w);
	if (!offloaded)
		offload(&w, false);
	enter(w.far);
	w.tap = packet_socket(FAR, SOCK_RAW, ETH_P_ALL);
	listener = must(socket(t->family, t->type, 0));
	must(setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)));
	len = address(t, false, &a);
	must(bind(listener, &a.sa, len));
	if (t->type == SOCK_STREAM)
		must(listen(listener, 1));
	enter(w.near);
	connect_both(&w, listener);
	if (setsockopt(w.p.tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		ktap_skip("SO_ZEROCOPY on %s: %s", t->name, strerror(errno));
	spare_end();
	return w;
}

struct wire wire(const struct zc_transport *t)
{
	return make(t, true);
}

struct wire wire_without_offload(const struct zc_transport *t)
{
	return make(t, false);
}

void hold(const struct wire *w)
{
	enter(w->near);
	tc_hold(NEAR);
}

void let_go(const struct wire *w)
{
	enter(w->near);
	tc_let_go(NEAR);
}

void send_and_change(const struct wire *w, char *buf)
{
	hold(w);
	zc_send(w->p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	zc_fill(buf, PAYLOAD, true);
}

size_t ip_header(const struct wire *w)
{
	return w->p.t->family == AF_INET6 ? 40 : 20;
}

static bool is_ours(const struct wire *w, struct frame *f, size_t payload)
{
	int protocol = w->p.t->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	bool v6 = w->p.t->family == AF_INET6;
	const uint8_t *at = f->bytes + ETH_HLEN;

	f->ip = ETH_HLEN;
	f->transport = f->ip + ip_header(w);
	if (f->len < f->transport + 20 || at[v6 ? 6 : 9] != protocol || at[0] >> 4 != (v6 ? 6 : 4))
		return false;
	f->data = f->transport + 8;
	if (protocol == IPPROTO_TCP)
		f->data = f->transport + (f->bytes[f->transport + 12] >> 4) * 4;
	return f->len >= f->data + payload;
}

static void take_frame(int fd, struct frame *f)
{
	char control[128] __attribute__((aligned(8)));
	struct iovec iov = { f->bytes, sizeof(f->bytes) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;

	f->len = must(recvmsg(fd, &msg, 0));
	cm = CMSG_FIRSTHDR(&msg);
	check(cm && cm->cmsg_type == PACKET_AUXDATA, "a frame without PACKET_AUXDATA");
	f->ready = !(((struct tpacket_auxdata *)CMSG_DATA(cm))->tp_status & TP_STATUS_CSUMNOTREADY);
}

void next_frame(const struct wire *w, struct frame *f, size_t payload)
{
	do {
		zc_wait(w->tap, POLLIN);
		take_frame(w->tap, f);
	} while (!is_ours(w, f, payload));
}

static uint32_t add(uint32_t sum, const uint8_t *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		sum += i & 1 ? at[i] : at[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t sum16(const void *data, size_t len)
{
	return ~add(0, data, len);
}

uint16_t checksum(const struct wire *w, const struct frame *f)
{
	size_t addresses = w->p.t->family == AF_INET6 ? 32 : 8, len = f->len - f->transport;
	const uint8_t tail[4] = {
		len >> 8, len, 0, w->p.t->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
	};
	uint32_t sum;

	sum = add(0, f->bytes + f->transport - addresses, addresses);
	sum = add(sum, tail, sizeof(tail));
	return ~add(sum, f->bytes + f->transport, len);
}

size_t received(const struct wire *w, bool *copied)
{
	struct zc_set set = { .count = 1 };
	static char got[PAYLOAD];
	size_t changed;

	zc_recv(w->p.rx, got, sizeof(got));
	changed = zc_changed(got, sizeof(got));
	zc_take_rest(w->p.tx, &set);
	*copied = set.copied;
	return changed;
}
