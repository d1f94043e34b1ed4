// SPDX-License-Identifier: GPL-2.0-only
/* Readers of every kind at once: nothing is lost, nothing comes twice. */
#include <poll.h>
#include <pthread.h>

#include "notify.h"

#ifdef SCM_ZC_NOTIFICATION

static struct {
	struct zc_pair p;
	struct zc_set set;
	bool ended;
	unsigned int by_sendmsg, by_errqueue;
} hybrid;

static void *receive(void *unused)
{
	static char got[64 << 10];

	while (recv(hybrid.p.rx, got, sizeof(got), 0) > 0)
		;
	return unused;
}

static void *read_errqueue(void *unused)
{
	struct zc_range r;
	uint32_t id;

	while (!__atomic_load_n(&hybrid.ended, __ATOMIC_SEQ_CST)) {
		if (!zc_poll(hybrid.p.tx, POLLERR, 10) || !zc_take(hybrid.p.tx, &r))
			continue;
		for (id = r.lo; id <= r.hi; id++) {
			check(id < hybrid.set.count, "send %u", id);
			check(!__atomic_fetch_add(&hybrid.set.seen[id], 1, __ATOMIC_SEQ_CST),
			      "send %u is completed twice", id);
			__atomic_fetch_add(&hybrid.set.done, 1, __ATOMIC_SEQ_CST);
		}
		__atomic_fetch_add(&hybrid.by_errqueue, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void *send_many(void *half)
{
	unsigned int i, got;

	for (i = 0; i < hybrid.set.count / 2; i++) {
		got = send_and_ask(hybrid.p.tx, 1 + i % MAX, PAYLOAD, MSG_ZEROCOPY, &hybrid.set);
		__atomic_fetch_add(&hybrid.by_sendmsg, got, __ATOMIC_SEQ_CST);
	}
	return half;
}

void concurrent(const struct zc_transport *t)
{
	void *(*run[])(void *) = { receive, read_errqueue, read_errqueue, send_many, send_many };
	pthread_t thread[ARRAY_SIZE(run)];
	unsigned int i;

	hybrid.p = zc_pair(t);
	hybrid.set.count = 2000;
	for (i = 0; i < ARRAY_SIZE(run); i++)
		check(!pthread_create(&thread[i], NULL, run[i], NULL), "no thread");
	pthread_join(thread[3], NULL);
	pthread_join(thread[4], NULL);
	for (i = 0; hybrid.set.done < hybrid.set.count && i < 10 * FOREVER * ktap_slowdown(); i++)
		zc_sleep(100);
	__atomic_store_n(&hybrid.ended, true, __ATOMIC_SEQ_CST);
	check(hybrid.set.done == hybrid.set.count, "%u of %u sends were never completed",
	      hybrid.set.count - hybrid.set.done, hybrid.set.count);
	ktap_note("%u elements by sendmsg, %u by the error queue", hybrid.by_sendmsg,
		  hybrid.by_errqueue);
}

#endif
