// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the kernel needs a buffer that was sent with MSG_ZEROCOPY, and what happens to the data
 * when the buffer, the process or the socket goes away meanwhile.
 * Documentation/networking/msg_zerocopy.rst says what may be; all over loopback.
 *
 * Here is the list of tests, and the last one: no socket is left. Memory of other kinds than the
 * buffers' is watched by kzc, with kmemleak, after that.
 */
#include <stdio.h>
#include <unistd.h>

#include "lifetime.h"

static long sockets(void)
{
	FILE *file = fopen("/proc/net/sockstat", "r");
	long used;

	if (!file)
		ktap_skip("there is no /proc/net/sockstat");
	check(fscanf(file, "sockets: used %ld", &used) == 1, "sockstat says something else");
	fclose(file);
	return used;
}

static long sockets_at_first;

static void no_socket_left(const struct zc_transport *t)
{
	unsigned int i;

	(void)t;
	for (i = 0; sockets() > sockets_at_first; i++) {
		check(i < FOREVER * ktap_slowdown(), "%ld sockets are left",
		      sockets() - sockets_at_first);
		sleep(1);
	}
}

static const struct ktap_test tests[] = {
	{ "change-after-completion", after_completion, ON_ALL },
	{ "change-before-completion", before_completion, ON_ALL },
	{ "copied-after-zerocopy", copied_after_zerocopy, 1u << VSOCK },
	{ "change-without-flag", no_flag, ON_ALL },
	{ "change-without-option", no_option, ON_ALL },
	{ "held-until-completed", held_until_completed, ON_ALL },
	{ "munmap", unmapped, ON_ALL },
	{ "mremap", remapped, ON_ALL },
	{ "fork", forked, ON_ALL },
	{ "exec", execed, ON_ALL },
	{ "exit", exited, ON_ALL },
	{ "kill", killed, ON_ALL },
	{ "close", closed, ON_ALL },
	{ "close-both", both_closed, ON_ALL },
	{ "close-receiver", receiver_closed, ON_ALL },
	{ "shutdown", shut_down, ON_TCP | ON_VSOCK },
	{ "in-parts", in_parts, ON_TCP | 1u << VSOCK },
	{ "zero-length", zero_length, ON_TCP | ON_UDP | 1u << VSOCK },
	{ "bad-address", bad_address, ON_ALL },
	{ "no-room", no_room, 1u << SEQPACKET },
	{ "memlock", memlock, ON_ALL },
	{ "memlock-balance", memlock_balance, ON_ALL },
	{ "optmem", optmem, ON_ALL },
	{ "no-socket-left", no_socket_left, 0 },
};

int main(int argc, char **argv)
{
	FILE *file = fopen("/proc/net/sockstat", "r");

	if (file) {
		if (fscanf(file, "sockets: used %ld", &sockets_at_first) != 1)
			sockets_at_first = 0;
		fclose(file);
	}
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 30);
}
