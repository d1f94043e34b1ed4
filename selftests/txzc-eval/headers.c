// SPDX-License-Identifier: GPL-2.0-only
/* Headers are the kernel's own memory: no write to the sender's buffer is ever seen in one. */
#include "eval.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>

#include "link.h"

#define RFC3692		253
#define EXPERIMENTAL	0x88b5

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif

static uint16_t word(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void check_ethernet(const struct frame *f, int type)
{
	check(!memcmp(f->bytes, LINK_FAR_MAC, 6), "another destination");
	check(!memcmp(f->bytes + 6, LINK_NEAR_MAC, 6), "another source");
	check(word(f->bytes + 12) == type, "EtherType %#x", word(f->bytes + 12));
}

static void check_ip(const struct wire *w, const struct frame *f)
{
	const char *texts[] = { LINK_NEAR4, LINK_FAR4, LINK_NEAR6, LINK_FAR6 };
	bool v6 = w->p.t->family == AF_INET6;
	size_t size = v6 ? 16 : 4, first = v6 ? 8 : 12;
	const uint8_t *ip = f->bytes + f->ip;
	uint8_t address[16];
	int i;

	for (i = 0; i < 2; i++) {
		inet_pton(w->p.t->family, texts[2 * v6 + i], address);
		check(!memcmp(ip + first + i * size, address, size), "another IP address");
	}
	if (v6) {
		check(word(ip + 4) == f->len - f->transport, "IPv6 length %u", word(ip + 4));
		return;
	}
	check(!sum16(ip, 20), "the IPv4 header's checksum does not fit it");
	check(word(ip + 2) == f->len - f->ip, "IPv4 length %u", word(ip + 2));
}

static void check_ports(const struct wire *w, const struct frame *f)
{
	struct sockaddr_in6 own = {}, peer = {};
	const uint8_t *at = f->bytes + f->transport;
	socklen_t len = sizeof(own);

	must(getsockname(w->p.tx, (void *)&own, &len));
	len = sizeof(peer);
	must(getpeername(w->p.tx, (void *)&peer, &len));
	/* where a sockaddr_in has its port, too */
	check(word(at) == ntohs(own.sin6_port), "source port %u", word(at));
	check(word(at + 2) == ntohs(peer.sin6_port), "destination port %u", word(at + 2));
	if (w->p.t->type == SOCK_DGRAM)
		check(word(at + 4) == PAYLOAD + 8, "UDP length %u", word(at + 4));
}

/*
 * The packet waits with its headers made, and all of the buffer changes. What arrives has these
 * headers; that the payload is another one proves that it was the buffer's.
 */
void headers(const struct zc_transport *t)
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	static struct frame f;
	size_t changed;
	bool copied;

	send_and_change(&w, buf);
	let_go(&w);
	next_frame(&w, &f, PAYLOAD);
	check_ethernet(&f, t->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
	check_ip(&w, &f);
	check_ports(&w, &f);
	changed = received(&w, &copied);
	check(changed == PAYLOAD, "only %zu bytes of the payload are changed", changed);
}

/* Without SO_ZEROCOPY the flag means nothing; with it what is a header has to be copied. */
static bool has_zerocopy(const struct zc_transport *t, int fd)
{
	int one = 1;

	if (!setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		return true;
	check(errno == EOPNOTSUPP, "SO_ZEROCOPY: %s", strerror(errno));
	ktap_note("%s has no SO_ZEROCOPY: all of what is sent is copied", t->name);
	return false;
}

static size_t make_ip(uint8_t *at)
{
	struct iphdr h = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = RFC3692,
		.tot_len = htons(PAYLOAD),
	};

	inet_pton(AF_INET, LINK_NEAR4, &h.saddr);
	inet_pton(AF_INET, LINK_FAR4, &h.daddr);
	memcpy(at, &h, sizeof(h));
	return sizeof(h);
}

static size_t make_ethernet(uint8_t *at)
{
	memcpy(at, LINK_FAR_MAC, 6);
	memcpy(at + 6, LINK_NEAR_MAC, 6);
	at[12] = EXPERIMENTAL >> 8;
	at[13] = EXPERIMENTAL & 0xff;
	return ETH_HLEN;
}

static int open_own(const struct zc_transport *t)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd, large = 1 << 20;

	if (t->family == AF_PACKET) {
		fd = packet_socket("near", SOCK_RAW, 0);
	} else {
		fd = must(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
		inet_pton(AF_INET, LINK_FAR4, &a.sin_addr);
		must(connect(fd, (void *)&a, sizeof(a)));
	}
	must(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large)));
	return fd;
}

static bool is_own(const struct zc_transport *t, const struct frame *f)
{
	if (t->family == AF_PACKET)
		return word(f->bytes + 12) == EXPERIMENTAL;
	return word(f->bytes + 12) == ETH_P_IP && f->bytes[ETH_HLEN + 9] == RFC3692;
}

/* Headers that the sender wrote itself, at the beginning of its buffer. */
void own_headers(const struct zc_transport *t)
{
	/* neighbours that know each other */
	struct wire w = wire(&zc_transports[UDP4]);
	uint8_t *buf = zc_pages(PAYLOAD);
	int fd = open_own(t);
	static struct frame f;
	size_t header, changed;
	bool zerocopy = has_zerocopy(t, fd);

	zc_fill(buf + PAGE, PAYLOAD - PAGE, false);
	header = t->family == AF_PACKET ? make_ethernet(buf) : make_ip(buf);
	hold(&w);
	zc_send(fd, buf, PAYLOAD, MSG_ZEROCOPY);
	memset(buf, 0xff, header);
	zc_fill(buf + PAGE, PAYLOAD - PAGE, true);
	let_go(&w);
	do {
		zc_wait(w.tap, POLLIN);
		f.len = must(recv(w.tap, f.bytes, sizeof(f.bytes), 0));
	} while (!is_own(t, &f));
	check_ethernet(&f, t->family == AF_PACKET ? EXPERIMENTAL : ETH_P_IP);
	header = t->family == AF_PACKET ? 0 : ETH_HLEN;
	check(f.len == PAYLOAD + header, "a frame of %zu bytes", f.len);
	if (t->family == AF_INET) {
		check(!sum16(f.bytes + ETH_HLEN, 20), "the IP header's checksum does not fit it");
		check(word(f.bytes + ETH_HLEN + 2) == PAYLOAD, "IPv4 length %u",
		      word(f.bytes + ETH_HLEN + 2));
	}
	changed = zc_changed(f.bytes + header + PAGE, PAYLOAD - PAGE);
	check(zerocopy || !changed, "not sent with zerocopy, and %zu bytes are changed", changed);
}
