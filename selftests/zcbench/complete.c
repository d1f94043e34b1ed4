// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions, off the error queue and out of sendmsg.
 *
 * The number of SCM_ZC_NOTIFICATION differs between trees, so it is that of the headers this is
 * compiled against. Where they have none, nothing can be asked.
 */
#include "zcbench.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/errqueue.h>
#include <linux/socket.h>

#ifndef SO_EE_CODE_ZEROCOPY_COPIED
#define SO_EE_CODE_ZEROCOPY_COPIED	1
#endif

unsigned long calls;

void forget_completions(struct completions *c)
{
	if (c->done != c->sent)
		fail(false, "%u of %u completions came", c->done, c->sent);
	c->zerocopied = 0;
	c->copied = 0;
}

void completed(struct completions *c, uint32_t lo, uint32_t hi, bool copied)
{
	uint64_t at = now();
	uint32_t id;

	if (hi < lo || hi >= c->sent || hi - lo >= c->sent - c->done)
		fail(false, "completions %u to %u of %u sends", lo, hi, c->sent);
	for (id = lo; id <= hi; id++) {
		if (id < c->room)
			c->at[id] = at - c->at[id];
	}
	c->done += hi - lo + 1;
	*(copied ? &c->copied : &c->zerocopied) += hi - lo + 1;
}

static void take(struct completions *c, const struct sock_extended_err *ee)
{
	if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_errno)
		fail(false, "origin %u and errno %u on the error queue", ee->ee_origin,
		     ee->ee_errno);
	completed(c, ee->ee_info, ee->ee_data, ee->ee_code & SO_EE_CODE_ZEROCOPY_COPIED);
}

void collect(struct completions *c, int fd)
{
	char control[128] __attribute__((aligned(8)));
	struct msghdr msg = {};
	struct cmsghdr *cm;

	for (;;) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		calls++;
		if (recvmsg(fd, &msg, MSG_ERRQUEUE) == -1) {
			if (errno == EAGAIN)
				return;
			fail(false, "recvmsg of the error queue: %m");
		}
		cm = CMSG_FIRSTHDR(&msg);
		if (!cm)
			fail(false, "a completion without control message");
		take(c, (const void *)CMSG_DATA(cm));
	}
}

void collect_all(struct completions *c, int fd)
{
	struct pollfd p = { .fd = fd };

	while (c->done != c->sent) {
		calls++;
		if (poll(&p, 1, -1) == -1 || !(p.revents & POLLERR))
			fail(false, "%u of %u completions came", c->done, c->sent);
		collect(c, fd);
	}
}

#ifdef SCM_ZC_NOTIFICATION

#define LENGTH	(sizeof(struct zc_info) + ZC_NOTIFICATION_MAX * sizeof(struct zc_info_elem))

bool can_ask(void)
{
	return true;
}

size_t ask(void *control, size_t room)
{
	struct cmsghdr *cm = control;
	struct zc_info *zc = (void *)CMSG_DATA(cm);

	if (room < CMSG_SPACE(LENGTH))
		fail(false, "a control buffer of %zu bytes", room);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_ZC_NOTIFICATION;
	cm->cmsg_len = CMSG_LEN(LENGTH);
	zc->nr_elems = ZC_NOTIFICATION_MAX;
	return CMSG_SPACE(LENGTH);
}

void answered(struct completions *c, void *control, size_t len)
{
	struct cmsghdr *cm = control;
	const struct zc_info *zc = (void *)CMSG_DATA(cm);
	uint32_t i;

	if (len != CMSG_SPACE(LENGTH) || zc->nr_elems > ZC_NOTIFICATION_MAX)
		fail(false, "a control message of %zu bytes came back", len);
	for (i = 0; i < zc->nr_elems; i++)
		completed(c, zc->arr[i].lo, zc->arr[i].hi, !zc->arr[i].zerocopy);
}

#else

bool can_ask(void)
{
	return false;
}

size_t ask(void *control, size_t room)
{
	(void)control;
	(void)room;
	return 0;
}

void answered(struct completions *c, void *control, size_t len)
{
	(void)c;
	(void)control;
	(void)len;
}

#endif
