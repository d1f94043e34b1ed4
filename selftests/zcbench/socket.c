// SPDX-License-Identifier: GPL-2.0-only
/* The data socket of a round on either end: see zcbench.h. */
#include "link.h"
#include "zcbench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>

/* protocol numbers for experiments: RFC 3692, IEEE 802 */
#define RFC3692		253
#define EXPERIMENTAL	0x88b5
#define STREAM_BUFFER	(4 << 20)
#define DATAGRAM_BUFFER	(8 << 20)
#define LEAST_CREDIT	(256 << 10)
#define MOST_IN_WINDOW	256
/* what a datagram takes of a receive buffer, at most */
#define DATAGRAM_TRUESIZE(size)	(2 * (size) + 2048)

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_vm vm;
	struct sockaddr_ll ll;
};

static int family(const struct cell *c)
{
	if (c->transport == VSOCK)
		return AF_VSOCK;
	if (c->transport == PACKET)
		return AF_PACKET;
	return c->ip == 6 ? AF_INET6 : AF_INET;
}

/* The receiver's address, or the sender's; @number is the port, or the CID and port of vsock. */
static socklen_t address(const struct round *r, union address *a, bool receiver, unsigned int cid,
			 unsigned int port)
{
	const struct cell *c = r->cell;
	bool veth = c->direction == VETH;
	const char *text;

	memset(a, 0, sizeof(*a));
	a->sa.sa_family = family(c);
	switch (family(c)) {
	case AF_INET:
		text = receiver ? LINK_FAR4 : LINK_NEAR4;
		inet_pton(AF_INET, veth ? text : "127.0.0.1", &a->in.sin_addr);
		a->in.sin_port = htons(port);
		return sizeof(a->in);
	case AF_INET6:
		text = receiver ? LINK_FAR6 : LINK_NEAR6;
		inet_pton(AF_INET6, veth ? text : "::1", &a->in6.sin6_addr);
		/* of a raw socket it would be the protocol */
		a->in6.sin6_port = c->transport == RAW ? 0 : htons(port);
		return sizeof(a->in6);
	case AF_PACKET:
		a->ll.sll_protocol = htons(EXPERIMENTAL);
		/* loopback numbers itself first */
		a->ll.sll_ifindex = !veth ? 1 : if_nametoindex(r->sends ? NEAR : FAR);
		a->ll.sll_halen = 6;
		if (veth && receiver)
			memcpy(a->ll.sll_addr, LINK_FAR_MAC, 6);
		return sizeof(a->ll);
	default:
		a->vm.svm_cid = cid;
		a->vm.svm_port = port;
		return sizeof(a->vm);
	}
}

static int open_socket(const struct cell *c)
{
	int type = is_stream(c) ? SOCK_STREAM : c->transport == RAW ? SOCK_RAW : SOCK_DGRAM;
	int fd = socket(family(c), type, c->transport == RAW ? RFC3692 : 0);

	if (fd == -1)
		fail(errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT, "socket: %m");
	return fd;
}

static void set_buffer(int fd, int force, int plain, int size)
{
	/* beyond the system's limit, or up to it */
	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)))
		must(setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size)));
}

/* The credit of vsock is that of both ends: a message that does not fit into it is copied. */
static void set_credit(const struct cell *c, int fd)
{
	unsigned long long size = c->buffer;

	if (!size)
		size = total(c, c->messages + c->warmup);
	if (!c->buffer && size < LEAST_CREDIT)
		size = LEAST_CREDIT;
	must(setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &size, sizeof(size)));
	must(setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &size, sizeof(size)));
}

static void set_buffers(const struct cell *c, int fd, bool sends)
{
	int size = is_stream(c) ? STREAM_BUFFER : DATAGRAM_BUFFER;

	if (c->buffer)
		size = c->buffer;
	else if ((size_t)size < 4 * c->size)
		size = 4 * c->size;

	if (c->transport == VSOCK)
		set_credit(c, fd);
	else if (sends)
		set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, size);
	else
		set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, size);
}

/* Sends of a raw or packet socket come back to it on loopback. */
static void deafen(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &nothing };

	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static unsigned int port_of(const union address *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	case AF_VSOCK:
		return a->vm.svm_port;
	default:
		return 0;
	}
}

int open_receiver(const struct round *r)
{
	unsigned int any = r->cell->transport == VSOCK ? VMADDR_PORT_ANY : 0;
	union address a;
	socklen_t len;
	int fd;

	if (r->cell->direction == VETH && setns(r->end->netns, CLONE_NEWNET))
		fail(true, "no network namespace: %m");
	fd = open_socket(r->cell);
	set_buffers(r->cell, fd, false);
	len = address(r, &a, true, VMADDR_CID_ANY, any);
	if (bind(fd, &a.sa, len))
		fail(errno == EADDRNOTAVAIL || errno == ENODEV, "bind: %m");
	if (is_stream(r->cell))
		must(listen(fd, 1));
	must(getsockname(fd, &a.sa, &len));
	tell("port %u", port_of(&a));
	return fd;
}

int accept_sender(const struct round *r, int fd)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = r->control, .events = POLLIN },
	};
	struct timeval soon = { .tv_usec = 50000 };
	char line[4 * LINE];
	int connected;

	if (!is_stream(r->cell)) {
		must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
		return fd;
	}
	must(poll(p, 2, -1));
	if (!p[0].revents) {
		hear(line);
		fail(false, "%.64s before it was connected", line);
	}
	connected = must(accept(fd, NULL, NULL));
	close(fd);
	return connected;
}

static void ask_for_zerocopy(const struct cell *c, int fd)
{
	int one = 1;

	if (c->mode != COPY && setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		fail(errno == EOPNOTSUPP || errno == ENOPROTOOPT, "SO_ZEROCOPY: %m");
	if (c->mode == NOTIFICATION && !can_ask())
		fail(true, "this kernel has no SCM_ZC_NOTIFICATION");
}

int open_sender(const struct round *r)
{
	bool inside = r->cell->direction == LOOPBACK;
	const struct cell *c = r->cell;
	char line[4 * LINE];
	unsigned int port;
	union address a;
	socklen_t len;
	int fd;

	hear(line);
	if (sscanf(line, "port %u", &port) != 1)
		fail(false, "no port but %.64s", line);
	fd = open_socket(c);
	set_buffers(c, fd, true);
	len = address(r, &a, c->transport != PACKET, inside ? VMADDR_CID_LOCAL : r->end->cid, port);
	if (c->transport == RAW)
		deafen(fd);
	if (c->transport == PACKET) {
		must(bind(fd, &a.sa, len));
		deafen(fd);
	} else if (connect(fd, &a.sa, len)) {
		fail(errno == ENODEV || errno == ENETUNREACH, "connect: %m");
	}
	ask_for_zerocopy(c, fd);
	return fd;
}

size_t destination(const struct round *r, void *to, size_t room)
{
	union address a;
	socklen_t len;

	/* the others are connected */
	if (r->cell->transport != PACKET)
		return 0;
	len = address(r, &a, true, 0, 0);
	if (len > room)
		fail(false, "an address of %u bytes", len);
	memcpy(to, &a, len);
	return len;
}

void flush(const struct round *r, int fd)
{
	int value;

	if (r->cell->transport != TCP)
		return;
	for (value = 1; value >= 0; value--)
		must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)));
}

size_t overhead(const struct cell *c)
{
	/* an IPv4 header without options */
	return c->transport == RAW && c->ip == 4 ? 20 : 0;
}

unsigned long window_of(const struct round *r)
{
	const struct cell *c = r->cell;
	/* between two kernels the line would cost more than what is measured */
	bool here = c->direction == LOOPBACK || c->direction == VETH;
	bool turns = r->end->turns && here;
	size_t room = c->buffer ? c->buffer : is_stream(c) ? STREAM_BUFFER : DATAGRAM_BUFFER;
	size_t count;

	if (is_stream(c))
		count = turns ? room / 4 / c->size : 0;
	else
		count = room / DATAGRAM_TRUESIZE(c->size);
	if (count > MOST_IN_WINDOW)
		return MOST_IN_WINDOW;
	return count || (is_stream(c) && !turns) ? count : 1;
}
