// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the kernel needs a buffer that was sent with MSG_ZEROCOPY, and what it does meanwhile:
 * Documentation/networking/msg_zerocopy.rst. All over loopback.
 */
#include <poll.h>
#include <unistd.h>

#include "ktap.h"
#include "zc.h"

#define PAYLOAD	(8 * PAGE)

/*
 * Receive in pieces and look for the completion before each: from then on nothing that is written
 * to the buffer may be received.
 */
static void after_completion(const struct zc_transport *t)
{
	struct zc_pair p = zc_pair(t);
	struct zc_set set = { .count = 1 };
	char *buf = zc_pages(PAYLOAD), *got = zc_pages(PAYLOAD);
	size_t piece = t->type == SOCK_STREAM ? PAGE / 2 : PAYLOAD, at;

	zc_send(p.tx, buf, PAYLOAD, MSG_ZEROCOPY);
	zc_poll(p.tx, POLLERR, SOON);
	for (at = 0; at < PAYLOAD; at += piece) {
		zc_take_all(p.tx, &set);
		if (set.done)
			zc_fill(buf, PAYLOAD, true);
		zc_recv(p.rx, got + at, piece);
	}
	check(!zc_changed(got, PAYLOAD), "what was written after the completion was received");
	zc_take_rest(p.tx, &set);
}

static const struct ktap_test tests[] = {
	{ "change-after-completion", after_completion, ON_ALL },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 20);
}
