// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions that come in another order than the sends: "Notifications may arrive out of order on
 * retransmission and socket teardown" (msg_zerocopy.rst). Here somebody on the way has a clone yet.
 */
#include "eval.h"

#include <net/if.h>
#include <poll.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>

#include "tc.h"

#define SIDE	"side"	/* a device from which nothing goes on */

static void add_side(void)
{
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct link_request q;
	struct rtattr *info;
	int error;

	link_begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up, sizeof(up));
	link_add(&q, IFLA_IFNAME, SIDE, sizeof(SIDE));
	info = link_add(&q, IFLA_LINKINFO, NULL, 0);
	link_add(&q, IFLA_INFO_KIND, "dummy", 5);
	link_end(&q, info);
	error = link_ask(&q);
	if (error == EOPNOTSUPP)
		ktap_skip("this kernel has no dummy devices");
	check(!error, "dummy: %s", strerror(error));
}

/*
 * What arrives at the far device is lost, and a clone of it waits at another one. It is mirrored
 * and dropped, not redirected: a clone that is still the socket's would not be sent again
 * (TCPSpuriousRtxHostQueues).
 */
static void lose(const struct wire *w)
{
	struct tc_mirred mirror = { .action = TC_ACT_SHOT, .eaction = TCA_EGRESS_MIRROR };
	struct {
		struct tc_u32_sel head;
		struct tc_u32_key key;
	} all = { .head = { .flags = TC_U32_TERMINAL, .nkeys = 1 } };
	struct link_request q;
	struct rtattr *options;

	enter(w->far);
	add_side();
	tc_hold(SIDE);
	mirror.ifindex = link_index(SIDE);
	options = tc_filter(&q, FAR, TC_H_MIN_INGRESS, "u32");
	link_add(&q, TCA_U32_SEL, &all, sizeof(all));
	tc_action(&q, TCA_U32_ACT, "mirred", TCA_MIRRED_PARMS, &mirror, sizeof(mirror));
	tc_end(&q, options, "u32 or mirred (CONFIG_NET_CLS_U32, CONFIG_NET_ACT_MIRRED)");
}

static void next_is(const struct wire *w, uint32_t id)
{
	struct zc_range r;

	zc_wait(w->p.tx, POLLERR);
	check(zc_take(w->p.tx, &r), "no completion");
	check(r.lo == id && r.hi == id, "%u to %u are completed, not %u", r.lo, r.hi, id);
}

/* The first send is lost, sent again and received, and its completion waits for the clone. */
void out_of_order(const struct zc_transport *t)
{
	struct wire w = wire(t);
	size_t len = t->type == SOCK_STREAM ? 2 * PAYLOAD : PAYLOAD;
	char *first = zc_pages(PAYLOAD), *second = zc_pages(PAYLOAD);
	static char got[2 * PAYLOAD];
	size_t at;

	close(w.tap);	/* what it sees would be copied for it, and the clone with it */
	lose(&w);
	zc_send(w.p.tx, first, PAYLOAD, MSG_ZEROCOPY);
	check(!zc_poll(w.p.rx, POLLIN, SOON), "what is to be lost is received");
	tc_no_filters(FAR);
	zc_send(w.p.tx, second, PAYLOAD, MSG_ZEROCOPY);
	zc_recv(w.p.rx, got, len);
	for (at = 0; at < len; at += PAYLOAD)
		check(!zc_changed(got + at, PAYLOAD), "other data than what was sent");
	next_is(&w, 1);
	check(!zc_poll(w.p.tx, POLLERR, SOON), "completed, and its data are in a queue");
	tc_let_go(SIDE);
	next_is(&w, 0);
}
