// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames are counted by kprobes with histograms, so none is lost: where tun and tap take a frame's
 * pages instead of copying them, and where vhost-net hears what became of one. The latter had
 * another name before 6.10; its third argument says whether the pages were sent as they are.
 */
#include "vhost_net.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing"
#define EVENTS	TRACING "/events/kzc"

/* Without stdio, which seeks to the end of what it appends to: these files cannot. */
static bool put(const char *file, const char *text, int how)
{
	int fd = open(file, O_WRONLY | how);
	ssize_t len = strlen(text);
	bool good;

	if (fd == -1)
		return false;
	good = !len || write(fd, text, len) == len;
	return !close(fd) && good;
}

static bool has(const char *symbol)
{
	char line[256], name[128];
	FILE *f = fopen("/proc/kallsyms", "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %127s", name) == 1 && !strcmp(name, symbol);
	if (f)
		fclose(f);
	return found;
}

static bool add(const char *event, const char *probe, const char *keys)
{
	char file[128];

	snprintf(file, sizeof(file), EVENTS "/%s/trigger", event);
	return put(TRACING "/kprobe_events", probe, O_APPEND) && put(file, keys, 0);
}

void count_no_more(void)
{
	put(EVENTS "/start/trigger", "!hist:keys=common_pid", 0);
	put(EVENTS "/done/trigger", "!hist:keys=success", 0);
	put(TRACING "/kprobe_events", "", O_TRUNC);
}

bool can_count(char *why, size_t room)
{
	const char *done = has("vhost_zerocopy_complete") ?
		"p:kzc/done vhost_zerocopy_complete success=%dx:u8" :
		"p:kzc/done vhost_zerocopy_callback success=%dx:u8";

	if (shell("[ -e " TRACING "/kprobe_events ] || mount -t tracefs none " TRACING)) {
		snprintf(why, room, "this kernel has no tracefs (CONFIG_KPROBE_EVENTS)");
		return false;
	}
	count_no_more();
	if (!add("start", "p:kzc/start zerocopy_sg_from_iter", "hist:keys=common_pid") ||
	    !add("done", done, "hist:keys=success")) {
		snprintf(why, room, "this kernel has no histograms of kprobes "
			 "(CONFIG_KPROBE_EVENTS, CONFIG_HIST_TRIGGERS)");
		return false;
	}
	return true;
}

struct counts counts(void)
{
	struct counts c = { 0 };
	char line[256];
	long key, hits;
	FILE *f;

	f = fopen(EVENTS "/start/hist", "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, " Hits: %ld", &c.started);
	if (f)
		fclose(f);
	f = fopen(EVENTS "/done/hist", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "{ success: %ld } hitcount: %ld", &key, &hits) != 2)
			continue;
		if (key)
			c.zerocopied += hits;
		else
			c.copied += hits;
	}
	if (f)
		fclose(f);
	return c;
}

struct counts since(const struct counts *before)
{
	struct counts c = counts();

	c.started -= before->started;
	c.zerocopied -= before->zerocopied;
	c.copied -= before->copied;
	return c;
}

long pending(long most, double seconds)
{
	double until = now() + patience(seconds);

	for (;;) {
		struct counts c = counts();
		long left = c.started - c.zerocopied - c.copied;

		if (left <= most || now() >= until)
			return left;
		pause_ms(20);
	}
}

long frames(enum way way)
{
	/* what a tap receives is what its guest sent; a macvtap sends it on */
	const char *what = way == MACVTAP ? "tx_packets" : "rx_packets";
	char file[128];
	long value = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/sys/class/net/%s/statistics/%s", device(way), what);
	f = fopen(file, "r");
	if (f) {
		if (fscanf(f, "%ld", &value) != 1)
			value = 0;
		fclose(f);
	}
	return value;
}
