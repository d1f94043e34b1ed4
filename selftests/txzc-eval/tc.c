// SPDX-License-Identifier: GPL-2.0-only
/* Queueing disciplines, classifiers and their actions by rtnetlink: see tc.h. */
#include "tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "ktap.h"

static void plug(const char *device, int flags, int action)
{
	struct tcmsg m = { .tcm_ifindex = link_index(device), .tcm_parent = TC_H_ROOT };
	struct tc_plug_qopt option = { .action = action, .limit = 16 << 20 };
	struct link_request q;
	int error;

	link_begin(&q, RTM_NEWQDISC, flags, &m, sizeof(m));
	link_add(&q, TCA_KIND, "plug", 5);
	link_add(&q, TCA_OPTIONS, &option, sizeof(option));
	error = link_ask(&q);
	if (error == ENOENT && flags)
		ktap_skip("this kernel has no qdisc plug (CONFIG_NET_SCH_PLUG)");
	check(!error, "plug: %s", strerror(error));
}

/* A plug is closed from its beginning. */
void tc_hold(const char *device)
{
	plug(device, NLM_F_CREATE | NLM_F_EXCL, TCQ_PLUG_LIMIT);
}

void tc_let_go(const char *device)
{
	plug(device, 0, TCQ_PLUG_RELEASE_INDEFINITE);
}

static void begin(struct link_request *q, int type, int flags, const char *device,
		  struct tcmsg m)
{
	m.tcm_ifindex = link_index(device);
	link_begin(q, type, flags, &m, sizeof(m));
}

static void ask(struct link_request *q, const char *what)
{
	int error = link_ask(q);

	if (error == ENOENT)
		ktap_skip("this kernel has no %s", what);
	check(!error, "%s: %s", what, strerror(error));
}

static const struct tcmsg clsact = {
	.tcm_parent = TC_H_CLSACT, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
};

struct rtattr *tc_filter(struct link_request *q, const char *device, unsigned int parent,
			 const char *kind)
{
	struct tcmsg all = {
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, parent),
		.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL)),
	};

	begin(q, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, device, clsact);
	link_add(q, TCA_KIND, "clsact", 7);
	ask(q, "clsact (CONFIG_NET_SCH_INGRESS)");
	begin(q, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, device, all);
	link_add(q, TCA_KIND, kind, strlen(kind) + 1);
	return link_add(q, TCA_OPTIONS, NULL, 0);
}

void tc_action(struct link_request *q, int type, const char *kind, int parameters,
	       const void *data, size_t len)
{
	struct rtattr *actions = link_add(q, type, NULL, 0);
	struct rtattr *first = link_add(q, 1, NULL, 0), *options;

	link_add(q, TCA_ACT_KIND, kind, strlen(kind) + 1);
	options = link_add(q, TCA_ACT_OPTIONS, NULL, 0);
	link_add(q, parameters, data, len);
	link_end(q, options);
	link_end(q, first);
	link_end(q, actions);
}

void tc_end(struct link_request *q, struct rtattr *options, const char *what)
{
	link_end(q, options);
	ask(q, what);
}

void tc_no_filters(const char *device)
{
	struct link_request q;

	begin(&q, RTM_DELQDISC, 0, device, clsact);
	ask(&q, "clsact");
}
