// SPDX-License-Identifier: GPL-2.0-only
/* Sockets, sends and completions: see zc.h. */
#include "zc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>

/* protocol numbers for experiments: RFC 3692, IEEE 802 */
#define RFC3692		253
#define EXPERIMENTAL	0x88b5

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef SOL_VSOCK
#define SOL_VSOCK	287
#endif
#ifndef VSOCK_RECVERR
#define VSOCK_RECVERR	1
#endif

const struct zc_transport zc_transports[ZC_TRANSPORTS] = {
	[TCP4] = { "tcp4", AF_INET, SOCK_STREAM },
	[TCP6] = { "tcp6", AF_INET6, SOCK_STREAM },
	[UDP4] = { "udp4", AF_INET, SOCK_DGRAM },
	[UDP6] = { "udp6", AF_INET6, SOCK_DGRAM },
	[VSOCK] = { "vsock", AF_VSOCK, SOCK_STREAM },
	[SEQPACKET] = { "vsock-seqpacket", AF_VSOCK, SOCK_SEQPACKET },
	[RAW] = { "raw4", AF_INET, SOCK_RAW },
	[PACKET] = { "packet", AF_PACKET, SOCK_DGRAM },
};

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_vm vm;
	struct sockaddr_ll ll;
};

static socklen_t loopback(const struct zc_transport *t, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = t->family;
	switch (t->family) {
	case AF_INET:
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(a->in);
	case AF_INET6:
		a->in6.sin6_addr = in6addr_loopback;
		return sizeof(a->in6);
	case AF_PACKET:
		a->ll.sll_protocol = htons(EXPERIMENTAL);
		a->ll.sll_ifindex = 1;
		a->ll.sll_halen = 6;
		return sizeof(a->ll);
	default:
		a->vm.svm_cid = VMADDR_CID_LOCAL;
		a->vm.svm_port = VMADDR_PORT_ANY;
		return sizeof(a->vm);
	}
}

static int open_socket(const struct zc_transport *t)
{
	int fd = socket(t->family, t->type, t->type == SOCK_RAW ? RFC3692 : 0);

	if (fd == -1 && (errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT))
		ktap_skip("this kernel has no %s", t->name);
	return must(fd);
}

/* Loopback numbers all interfaces from 1 on, and itself first. */
static struct zc_pair packet_pair(const struct zc_transport *t, int tx, int rx)
{
	struct zc_pair p = { .t = t, .tx = tx, .rx = rx };
	union address a;
	socklen_t len = loopback(t, &a);

	must(bind(rx, &a.sa, len));
	must(bind(tx, &a.sa, len));
	return p;
}

static void set_buffers(const struct zc_transport *t, int rx, int tx, int window)
{
	int large = 4 << 20;

	if (t->family == AF_VSOCK)
		return;
	if (t->type == SOCK_STREAM)
		must(setsockopt(rx, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)));
	else
		must(setsockopt(rx, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)));
	must(setsockopt(tx, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large)));
}

struct zc_pair zc_sized_pair(const struct zc_transport *t, int window)
{
	struct zc_pair p = { .t = t, .tx = open_socket(t) };
	int listener = open_socket(t);
	union address a;
	socklen_t len = loopback(t, &a);

	set_buffers(t, listener, p.tx, window);
	if (t->family == AF_PACKET)
		return packet_pair(t, p.tx, listener);
	if (bind(listener, &a.sa, len) == -1) {
		if (errno == EADDRNOTAVAIL)
			ktap_skip("this kernel has no loopback for %s", t->name);
		ktap_fail("bind %s: %s", t->name, strerror(errno));
	}
	must(getsockname(listener, &a.sa, &len));
	if (t->type == SOCK_DGRAM || t->type == SOCK_RAW) {
		must(connect(p.tx, &a.sa, len));
		must(getsockname(p.tx, &a.sa, &len));
		must(connect(listener, &a.sa, len));
		p.rx = listener;
		return p;
	}
	must(listen(listener, 1));
	must(connect(p.tx, &a.sa, len));
	p.rx = must(accept(listener, NULL, NULL));
	must(close(listener));
	return p;
}

/* With the smallest of buffers, so that the window closes soon. */
struct zc_pair zc_plain_pair(const struct zc_transport *t)
{
	return zc_sized_pair(t, 4096);
}

struct zc_pair zc_pair(const struct zc_transport *t)
{
	struct zc_pair p = zc_plain_pair(t);
	int one = 1;

	if (setsockopt(p.tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == -1)
		ktap_skip("SO_ZEROCOPY on %s: %s", t->name, strerror(errno));
	return p;
}

size_t zc_hold(struct zc_pair *p)
{
	static char filler[16 << 10];
	size_t held = 0;
	int unsent = 0;
	int one = 1, segment = 60000;

	if (p->t->type == SOCK_DGRAM) {
		/* without, what is corked is copied; no datagram here is as long */
		must(setsockopt(p->tx, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
		must(setsockopt(p->tx, SOL_UDP, UDP_CORK, &one, sizeof(one)));
	}
	if (p->t->family == AF_VSOCK || p->t->type == SOCK_DGRAM)
		return 0;
	while (!unsent) {
		check(held < 8 << 20, "the window does not close");
		held += must(send(p->tx, filler, sizeof(filler), MSG_DONTWAIT));
		must(ioctl(p->tx, SIOCOUTQNSD, &unsent));
	}
	return held;
}

void zc_release(struct zc_pair *p, size_t held)
{
	static char filler[16 << 10];
	size_t part;
	int zero = 0;

	if (p->t->type == SOCK_DGRAM)
		must(setsockopt(p->tx, SOL_UDP, UDP_CORK, &zero, sizeof(zero)));
	/* the last send may have been a short one */
	for (; held; held -= part) {
		part = held < sizeof(filler) ? held : sizeof(filler);
		zc_recv(p->rx, filler, part);
	}
}

void zc_send(int fd, const void *buf, size_t len, int flags)
{
	ssize_t sent = must(send(fd, buf, len, flags));

	check((size_t)sent == len, "%zd bytes sent of %zu", sent, len);
}

void zc_recv(int fd, void *buf, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t part;

		zc_wait(fd, POLLIN);
		part = must(recv(fd, (char *)buf + got, len - got, 0));
		check(part, "end of file after %zu bytes of %zu", got, len);
		got += part;
	}
}

bool zc_take(int fd, struct zc_range *r)
{
	char control[128] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	const struct sock_extended_err *ee;
	struct cmsghdr *cm;
	ssize_t got = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (got == -1 && errno == EAGAIN)
		return false;
	must(got);
	check(!got, "a completion with %zd bytes", got);
	check(msg.msg_flags & MSG_ERRQUEUE, "no MSG_ERRQUEUE in msg_flags");
	check(!(msg.msg_flags & MSG_CTRUNC), "MSG_CTRUNC");
	cm = CMSG_FIRSTHDR(&msg);
	check(cm, "no control message");
	check((cm->cmsg_level == SOL_IP && cm->cmsg_type == IP_RECVERR) ||
	      (cm->cmsg_level == SOL_IPV6 && cm->cmsg_type == IPV6_RECVERR) ||
	      (cm->cmsg_level == SOL_VSOCK && cm->cmsg_type == VSOCK_RECVERR),
	      "control message of level %d, type %d", cm->cmsg_level, cm->cmsg_type);
	ee = (void *)CMSG_DATA(cm);
	check(ee->ee_origin == SO_EE_ORIGIN_ZEROCOPY, "origin %d", ee->ee_origin);
	check(!ee->ee_errno, "ee_errno %d", ee->ee_errno);
	check(!(ee->ee_code & ~SO_EE_CODE_ZEROCOPY_COPIED), "ee_code %#x", ee->ee_code);
	*r = (struct zc_range){ ee->ee_info, ee->ee_data, ee->ee_code };
	return true;
}

void zc_take_all(int fd, struct zc_set *set)
{
	struct zc_range r;
	uint32_t id;

	while (zc_take(fd, &r)) {
		check(r.lo <= r.hi && r.hi < set->count, "completion %u..%u of %u sends", r.lo,
		      r.hi, set->count);
		for (id = r.lo; id <= r.hi; id++) {
			check(!set->seen[id]++, "send %u is completed twice", id);
			set->done++;
			set->copied += r.copied;
		}
	}
}

void zc_take_rest(int fd, struct zc_set *set)
{
	struct zc_range r;

	for (;;) {
		zc_take_all(fd, set);
		if (set->done == set->count)
			break;
		if (!zc_poll(fd, POLLERR, 1000 * FOREVER * ktap_slowdown()))
			ktap_fail("%u of %u sends were never completed", set->count - set->done,
				  set->count);
	}
	check(!zc_take(fd, &r), "one completion too many");
}

bool zc_poll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	must(poll(&p, 1, ms));
	return p.revents & events;
}

void zc_sleep(int ms)
{
	usleep(1000 * ms);
}

void zc_wait(int fd, short events)
{
	if (!zc_poll(fd, events, 1000 * FOREVER * ktap_slowdown()))
		ktap_fail("poll for %#x: nothing came", events);
}

void *zc_pages(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at);
	zc_fill(at, len, false);
	return at;
}

/* 0 to 127, and not the same in two pages that follow */
static uint8_t pattern(size_t at)
{
	return (at + at / PAGE * 7 + at / 251) & 0x7f;
}

void zc_fill(void *buf, size_t len, bool change)
{
	uint8_t *byte = buf;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = pattern(i) | (change ? 0x80 : 0);
}

size_t zc_changed(const void *buf, size_t len)
{
	const uint8_t *byte = buf;
	size_t i, changed = 0;

	for (i = 0; i < len; i++) {
		check((byte[i] & 0x7f) == pattern(i), "byte %zu of %zu is %#x, not %#x", i, len,
		      byte[i], pattern(i));
		changed += byte[i] >> 7;
	}
	return changed;
}

void zc_reap(int pid)
{
	int status;

	must(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	check(WIFEXITED(status), "a child was killed by signal %d", WTERMSIG(status));
}

long zc_read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value;

	check(file, "%s: %s", path, strerror(errno));
	check(fscanf(file, "%ld", &value) == 1, "%s holds no number", path);
	fclose(file);
	return value;
}

void zc_write_number(const char *path, long value)
{
	FILE *file = fopen(path, "w");

	check(file, "%s: %s", path, strerror(errno));
	check(fprintf(file, "%ld\n", value) > 0 && !fclose(file), "%s: %s", path,
	      strerror(errno));
}
