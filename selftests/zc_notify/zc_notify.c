// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCM_ZC_NOTIFICATION, with which sendmsg returns MSG_ZEROCOPY completions: each field and error
 * that Documentation/networking/msg_zerocopy.rst of a kernel with it describes.
 *
 * Here is the list of tests. On a tree without it, all that need it are skipped.
 */
#include "notify.h"

#define ON_INET		(ON_TCP | ON_UDP)

/* What no kernel knows is refused where control messages are read. It is so on every kernel. */
static void unknown_type(const struct zc_transport *t)
{
	char control[CMSG_SPACE(4)] __attribute__((aligned(8))) = "";
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	struct zc_pair p = zc_pair(t);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = 0x7ffe;
	cm->cmsg_len = CMSG_LEN(4);
	must_fail(sendmsg(p.tx, &msg, MSG_DONTWAIT), EINVAL);
}

#ifdef SCM_ZC_NOTIFICATION

#define NEEDS(run)	run

#else

static void absent(const struct zc_transport *t)
{
	(void)t;
	ktap_skip("this kernel has no SCM_ZC_NOTIFICATION");
}

#define NEEDS(run)	absent

#endif

static const struct ktap_test tests[] = {
	{ "unknown-type", unknown_type, ON_INET },
	{ "returned", NEEDS(returned), ON_ALL },
	{ "field-zerocopy", NEEDS(field_zerocopy), ON_ALL },
	{ "zero-length", NEEDS(zero_length), ON_TCP },
	{ "counts", NEEDS(counts), ON_UDP },
	{ "coalesced", NEEDS(coalesced), ON_ALL },
	{ "bad-counts", NEEDS(bad_counts), ON_UDP | ON_VSOCK },
	{ "bad-lengths", NEEDS(bad_lengths), ON_UDP | ON_VSOCK },
	{ "beyond-the-buffer", NEEDS(beyond_the_buffer), ON_INET },
	{ "two-requests", NEEDS(two_requests), ON_ALL },
	{ "without-option", NEEDS(without_option), ON_ALL },
	{ "option-taken-back", NEEDS(option_taken_back), ON_ALL },
	{ "failed-send", NEEDS(failed_send), ON_ALL },
	{ "shutdown", NEEDS(shut_down), ON_TCP | ON_VSOCK },
	{ "no-room", NEEDS(no_room), ON_TCP | 1u << VSOCK },
	{ "icmp", NEEDS(icmp), ON_UDP },
	{ "read-only-control", NEEDS(read_only_control), ON_ALL },
	{ "read-only-header", NEEDS(read_only_header), ON_ALL },
	{ "with-others", NEEDS(with_others), ON_INET },
	{ "corked", NEEDS(corked), ON_UDP },
	{ "sendmmsg", NEEDS(sent_by_sendmmsg), ON_UDP },
	{ "concurrent", NEEDS(concurrent), ON_ALL },
	{ "rds", NEEDS(rds), 0 },
	{ "unix", NEEDS(unix_sockets), 0 },
	{ "wrap", NEEDS(wrap), ON_ALL },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 30);
}
