// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data that change between the check and the use: what was promised of MSG_ZEROCOPY where it was
 * first shown ("Avoid TOCTTOU"), and what Documentation/networking/msg_zerocopy.rst says of it.
 *
 * A sender may write to a buffer until its completion has come. What may not come of that: other
 * headers than the kernel's, checksums of data that are not sent, packets that a filter would not
 * have let pass. Here is the list of tests; each has network namespaces of its own.
 */
#include "eval.h"

#define ON_IP	(ON_TCP | ON_UDP)

static const struct ktap_test tests[] = {
	{ "headers", headers, ON_IP },
	{ "own-headers", own_headers, 1u << RAW | 1u << PACKET },
	{ "checksum-offloaded", checksum_offloaded, ON_IP },
	{ "checksum-without-offload", checksum_without_offload, ON_IP },
	{ "checksum-at-device", checksum_at_device, ON_IP },
	{ "checksum-race", checksum_race, ON_UDP },
	{ "looped", looped, ON_IP },
	{ "filter-socket", filter_socket, ON_IP },
	{ "filter-race", filter_race, ON_UDP },
	{ "filter-tap", filter_tap, ON_IP },
	{ "filter-u32", filter_u32, ON_UDP },
	{ "filter-bpf", filter_bpf, ON_UDP },
	{ "out-of-order", out_of_order, ON_IP },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 20);
}
