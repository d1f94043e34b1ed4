// SPDX-License-Identifier: GPL-2.0-only
/* Cells: see zcbench.h. */
#include "zcbench.h"

#include <stdio.h>
#include <string.h>

static const char *const transports[] = { "vsock", "tcp", "udp", "raw", "packet", NULL };
static const char *const directions[] = { "loopback", "veth", "g2h", "h2g", NULL };
static const char *const modes[] = { "copy", "errqueue", "notification", NULL };

static bool find(const char *const *names, const char *word, int *found)
{
	int i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(names[i], word)) {
			*found = i;
			return true;
		}
	}
	return false;
}

bool parse_cell(const char *line, struct cell *c)
{
	char transport[16], direction[16], mode[16];
	int t, d, m;

	memset(c, 0, sizeof(*c));
	if (sscanf(line, "%ld %15s %d %15s %15s %zu %lu %lu %lu %zu %u", &c->number, transport,
		   &c->ip, direction, mode, &c->size, &c->interval, &c->messages, &c->warmup,
		   &c->buffer, &c->seconds) != 11)
		return false;
	if (!find(transports, transport, &t) || !find(directions, direction, &d) ||
	    !find(modes, mode, &m))
		return false;
	c->transport = t;
	c->direction = d;
	c->mode = m;
	return c->size && c->interval && c->messages && c->warmup;
}

bool is_stream(const struct cell *c)
{
	return c->transport == VSOCK || c->transport == TCP;
}

size_t total(const struct cell *c, unsigned long messages)
{
	return c->size * messages;
}

bool sends(const struct cell *c, const struct end *end)
{
	if (c->direction == G2H)
		return !end->host;
	if (c->direction == H2G)
		return end->host;
	return end->leads;
}
