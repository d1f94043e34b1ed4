// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who reads the payload before it is received: a filter's decision has to hold for what comes then.
 *
 * What loops onto a local socket, packet sockets too, is copied first (msg_zerocopy.rst,
 * "Loopback"; skb_orphan_frags_rx()). The talk promised that of classifiers, too.
 */
#include "eval.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_gact.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tc.h"

#define ALL	0xffffffffu

/* Only what has LOOK unchanged passes, or is no such payload. */
void only_unchanged(const struct wire *w, int fd, bool frames)
{
	uint32_t before = frames ? ETH_HLEN + ip_header(w) : 0;
	/* the length of the transport's header into X, TCP's is in its 13th byte */
	struct sock_filter length[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, before + 12),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
	};
	bool tcp = w->p.t->type == SOCK_STREAM;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PAYLOAD, 0, 7),
		tcp ? length[0] : (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 8),
		tcp ? length[1] : (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 0),
		tcp ? length[2] : (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, before + LOOK),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CHANGED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, ALL),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

/* What lies in a socket over loopback is a copy: nothing that is written then is received. */
void looped(const struct zc_transport *t)
{
	struct zc_pair p = zc_sized_pair(t, 1 << 20);
	struct zc_set set = { .count = 1 };
	char *buf = zc_pages(PAYLOAD);
	static char got[PAYLOAD];
	int one = 1;

	must(setsockopt(p.tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	zc_send(p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	zc_wait(p.rx, POLLIN);
	zc_fill(buf, PAYLOAD, true);
	zc_recv(p.rx, got, sizeof(got));
	check(!zc_changed(got, sizeof(got)), "what was written later was received");
	zc_take_rest(p.tx, &set);
	check(set.copied, "the completion does not say that it was copied");
}

/* A filter of the receiving socket. What it has let pass is what is read, however late. */
void filter_socket(const struct zc_transport *t)
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	size_t changed;
	bool copied;

	only_unchanged(&w, w.p.rx, false);
	if (t->type == SOCK_DGRAM) {
		zc_fill(buf, PAYLOAD, true);
		zc_send(w.p.tx, buf, PAYLOAD, 0);
		zc_fill(buf, PAYLOAD, false);
	}
	zc_send(w.p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	zc_wait(w.p.rx, POLLIN);
	zc_fill(buf, PAYLOAD, true);
	changed = received(&w, &copied);
	check(!changed, "%zu bytes that the filter has not seen", changed);
}

/* The filter of a packet socket that sees what goes out, as tcpdump has one. */
void filter_tap(const struct zc_transport *t)
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	static struct frame f;
	struct wire out = w;

	out.tap = packet_socket(NEAR, SOCK_RAW, ETH_P_ALL);
	only_unchanged(&w, out.tap, true);
	hold(&w);
	zc_send(w.p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	let_go(&w);
	zc_wait(w.p.rx, POLLIN);
	zc_fill(buf, PAYLOAD, true);
	next_frame(&out, &f, PAYLOAD);
	check(!zc_changed(f.bytes + f.data, PAYLOAD), "data that the filter has not seen");
}

static void add_u32(const struct wire *w)
{
	struct {
		struct tc_u32_sel head;
		struct tc_u32_key key;
	} sel = {
		.head = { .flags = TC_U32_TERMINAL, .nkeys = 1 },
		/* LOOK is the first of its four bytes, counted from the IP header */
		.key = { .mask = htonl(CHANGED << 24), .val = htonl(CHANGED << 24) },
	};
	struct tc_gact drop = { .action = TC_ACT_SHOT };
	struct link_request q;
	struct rtattr *options = tc_filter(&q, NEAR, TC_H_MIN_EGRESS, "u32");

	sel.key.off = ip_header(w) + 8 + LOOK;
	link_add(&q, TCA_U32_SEL, &sel, sizeof(sel));
	tc_action(&q, TCA_U32_ACT, "gact", TCA_GACT_PARMS, &drop, sizeof(drop));
	tc_end(&q, options, "u32 (CONFIG_NET_CLS_U32)");
}

static void add_bpf(const struct wire *w)
{
	const uint32_t flags = TCA_BPF_FLAG_ACT_DIRECT;
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PAYLOAD, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + ip_header(w) + 8 + LOOK),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CHANGED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
		BPF_STMT(BPF_RET | BPF_K, TC_ACT_OK),
	};
	const uint16_t length = ARRAY_SIZE(code);
	struct link_request q;
	struct rtattr *options = tc_filter(&q, NEAR, TC_H_MIN_EGRESS, "bpf");

	link_add(&q, TCA_BPF_OPS_LEN, &length, sizeof(length));
	link_add(&q, TCA_BPF_OPS, code, sizeof(code));
	link_add(&q, TCA_BPF_FLAGS, &flags, sizeof(flags));
	tc_end(&q, options, "bpf (CONFIG_NET_CLS_BPF)");
}

/* The filter lets pass what is unchanged, then that waits in a queue, and changes. */
static void decided(const struct zc_transport *t, void (*add)(const struct wire *w))
{
	struct wire w = wire(t);
	char *buf = zc_pages(PAYLOAD);
	size_t changed;
	bool copied;

	add(&w);
	zc_fill(buf, PAYLOAD, true);
	zc_send(w.p.tx, buf, PAYLOAD, 0);
	check(!zc_poll(w.p.rx, POLLIN, SOON), "the filter has let pass what it is to drop");
	zc_fill(buf, PAYLOAD, false);
	send_and_change(&w, buf);
	let_go(&w);
	changed = received(&w, &copied);
	if (changed)
		ktap_known("the filter reads the sender's pages, and %zu bytes changed after that",
			   changed);
}

void filter_u32(const struct zc_transport *t)
{
	decided(t, add_u32);
}

void filter_bpf(const struct zc_transport *t)
{
	decided(t, add_bpf);
}
