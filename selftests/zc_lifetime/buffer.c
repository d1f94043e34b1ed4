// SPDX-License-Identifier: GPL-2.0-only
/* Buffers of a memfd: see lifetime.h. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lifetime.h"

struct buffer buffer(void)
{
	struct buffer b = { .fd = must(memfd_create("buffer", MFD_ALLOW_SEALING | MFD_CLOEXEC)) };

	must(ftruncate(b.fd, PAYLOAD));
	b.at = mmap(NULL, PAYLOAD, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0);
	must(b.at);
	zc_fill(b.at, PAYLOAD, false);
	return b;
}

bool in_use(const struct buffer *b)
{
	if (fcntl(b->fd, F_ADD_SEALS, F_SEAL_WRITE) != -1)
		return false;
	check(errno == EBUSY, "F_SEAL_WRITE: %s", strerror(errno));
	return true;
}

void unmap(struct buffer *b)
{
	if (b->at)
		must(munmap(b->at, PAYLOAD));
	b->at = NULL;
}

void given_back(struct buffer *b)
{
	unsigned int i;

	unmap(b);
	for (i = 0; in_use(b); i++) {
		check(i < 10 * FOREVER * ktap_slowdown(), "pages of the buffer are still in use");
		usleep(100000);
	}
}

size_t received(struct zc_pair *p, size_t held)
{
	static char got[PAYLOAD];

	zc_release(p, held);
	zc_recv(p->rx, got, PAYLOAD);
	return zc_changed(got, PAYLOAD);
}

void completed(int fd, uint32_t count)
{
	struct zc_set set = { .count = count };

	zc_take_rest(fd, &set);
}
