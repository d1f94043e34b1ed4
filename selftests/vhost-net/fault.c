// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes away while frames of the guest are on their way: netem holds them in front of the card.
 * vhost-net has to wait for each of them, and no longer than that.
 */
#include "vhost_net.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SOON		10	/* seconds under KVM in which all has to be over */
#define HELD		600	/* ms under KVM */
#define FILLED		3000	/* ms, in which frames are put into both queues and counted */

static const struct transfer burst = { UDP, 4000, 16, 77 };

/*
 * Datagrams into a queue that holds them; how many frames vhost-net waits for then, those of other
 * queues with them, -1: none sent.
 */
static long put_on_the_way(enum way way, int ms, const char **why)
{
	char line[LINE] = "no answer";
	long before = pending(0, 0), left, last = -1;
	struct counts others;
	int tries, same = 0;

	/* the address of the far side has to be known before */
	*why = transfer(&(struct transfer){ UDP, 64, 1, 1 }, way, G2H);
	if (*why)
		return -1;
	pending(before, SOON);
	others = counts();
	if (!hold(way, ms)) {
		*why = "tc could not hold what the card sends";
		return -1;
	}
	ask(&guest, "send udp 10.9.%d.1 9 %zu %u %u", way, burst.size, burst.count, burst.seed);
	if (!answer(&guest, line, SOON) || strncmp(line, "sent", 4)) {
		*why = because("the guest could not send: %.200s", line);
		return -1;
	}
	/* vhost-net has its own time to take them */
	for (tries = 0; tries < 50 && same < 5; tries++) {
		left = pending(0, 0);
		same = left == last ? same + 1 : 0;
		last = left;
		pause_ms(100);
	}
	note("in_flight", "%ld", left);
	if (!left || !since(&others).started) {
		say("copied: nothing was on its way");
		if (zerocopy())
			*why = "no frame was on its way";
	}
	return left;
}

static const char *all_back(double began)
{
	long left = pending(0, SOON);

	note("back_ms", "%.0f", 1000 * (now() - began));
	return left > 0 ? because("%ld frames never came back to vhost-net", left) : NULL;
}

static const char *still_works(enum way way)
{
	const char *why = transfer(&(struct transfer){ TCP, 4096, 8, 5 }, way, G2H);

	return why ? because("afterwards: %.200s", why) : NULL;
}

/* The sender closes and is gone; what it sent arrives all the same. */
static const char *sender_closes(const struct test *t)
{
	const char *why = transfer(&(struct transfer){ UDP, 64, 1, 1 }, t->way, G2H);
	struct counts before;
	double began;

	if (why)
		return why;
	pending(0, SOON);
	before = counts();
	if (!hold(t->way, HELD * slowdown() / 2))
		return "tc could not hold what the card sends";
	began = now();
	/* send_all() closes as soon as the last send has returned, and the process ends */
	why = transfer(&burst, t->way, G2H);
	if (!why)
		why = all_back(began);
	let_go(t->way);
	note("zerocopied", "%ld", since(&before).zerocopied);
	if (!why && now() - began < 0.4 * HELD / 1000 * slowdown())
		why = "nothing was held";
	if (!why && zerocopy() && !since(&before).zerocopied)
		why = "no frame was zerocopy";
	return why ? why : still_works(t->way);
}

static const char *host_link_down(const struct test *t)
{
	const char *why;
	double began;

	put_on_the_way(t->way, HELD_FOR_EVER, &why);
	if (!why) {
		began = now();
		shell("ip link set %s down; ip link set %s down", device(t->way), card(t->way));
		why = all_back(began);
	}
	let_go(t->way);
	shell("ip link set %s up; ip link set %s up", card(t->way), device(t->way));
	shell("for i in $(seq 100); do read -r up </sys/class/net/%s/carrier; [ \"$up\" = 1 ] && break;"
	      " sleep 0.1; done", card(t->way));
	return why ? why : still_works(t->way);
}

static const char *guest_link_down(const struct test *t)
{
	const char *why;
	double began;
	long left = put_on_the_way(t->way, HELD_FOR_EVER, &why);

	if (!why && shell_at(&guest, SOON, "ip link set g%d down", t->way))
		why = "the guest's link could not be set down";
	if (!why && pending(0, 0) != left)
		why = because("%ld frames on their way, then %ld", left, pending(0, 0));
	began = now();
	let_go(t->way);
	if (!why)
		why = all_back(began);
	if (!why && shell_at(&guest, SOON, "ip link set g%d up", t->way))
		why = "the guest's link could not be set up";
	return why ? why : still_works(t->way);
}

/* QEMU takes the queue from vhost-net, which has to wait for what it holds; the guest stands still. */
static const char *driver_unbound(const struct test *t)
{
	char line[LINE] = "";
	const char *why;
	double began;
	long left = put_on_the_way(t->way, HELD_FOR_EVER, &why);

	began = now();
	if (!why) {
		ask(&guest, "sh d=$(readlink -f /sys/class/net/g%d/device); "
		    "echo ${d##*/} >/sys/bus/virtio/drivers/virtio_net/unbind && "
		    "echo ${d##*/} >/sys/bus/virtio/drivers/virtio_net/bind", t->way);
		pause_ms(100 * slowdown());
		if (left > 0 && pending(0, 0) != left)
			why = because("%ld frames on their way, then %ld", left, pending(0, 0));
		/* who was told to wait for them cannot have answered */
		if (!why && left > 0 && answer(&guest, line, 0.5))
			why = because("the driver was unbound with %ld frames on their way", left);
	}
	let_go(t->way);
	if (!why && (!answer(&guest, line, SOON) || strcmp(line, "did 0")))
		why = because("the driver could not be unbound and bound: %.100s", line);
	if (!why)
		why = all_back(began);
	if (!why && shell_at(&guest, SOON, "for c in /sys/class/net/*; do read -r m <$c/address; "
			     "[ $m = 52:54:00:12:00:0%d ] && n=${c##*/}; done; "
			     "ip link set $n name g%d; ip address add 10.9.%d.2/24 dev g%d; "
			     "ip link set g%d up", t->way, t->way, t->way, t->way, t->way))
		why = "the driver's device could not be set up again";
	return why ? why : still_works(t->way);
}

/* The guest's device is taken away on the host; the guest has no use for it any more. */
static const char *device_removed(const struct test *t)
{
	const char *why;
	double began;

	put_on_the_way(t->way, HELD_FOR_EVER, &why);
	began = now();
	if (!why && shell("timeout %u ip link del %s", SOON * slowdown(), device(t->way)))
		why = because("%s could not be removed in %u s", device(t->way), SOON * slowdown());
	note("removed_ms", "%.0f", 1000 * (now() - began));
	let_go(t->way);
	if (!why)
		why = all_back(began);
	if (!why && !alive(&guest))
		why = "the guest does not answer any more";
	return why;
}

static const char *hangs(void)
{
	shell("echo w >/proc/sysrq-trigger");
	return because("QEMU is there %u s after the last frame: vhost-net's flush hangs",
		       SOON * slowdown());
}

/* With frames in both queues; they are sent on after a while, and the flush ends with them. */
static const char *guest_dies(const struct test *t)
{
	int ms = HELD * slowdown() + FILLED;
	const char *why;
	double began;
	long one, both = 0;

	(void)t;
	one = put_on_the_way(TAP, ms, &why);
	if (!why)
		both = put_on_the_way(MACVTAP, ms, &why);
	if (!why && zerocopy() && both <= one)
		why = "the frames of one queue were back before those of the other were sent";
	began = now();
	kill_guest();
	if (!why && !guest_gone(SOON + ms / 1000.0))
		why = hangs();
	note("gone_ms", "%.0f", 1000 * (now() - began));
	if (!why)
		why = all_back(began);
	let_go(TAP);
	let_go(MACVTAP);
	return why;
}

/* Frames that nothing sends on: the flush may not end before them, and ends with them. */
static const char *guest_dies_stuck(const struct test *t)
{
	const char *why;
	double began;

	(void)t;
	put_on_the_way(TAP, HELD_FOR_EVER, &why);
	if (!why)
		put_on_the_way(MACVTAP, HELD_FOR_EVER, &why);
	kill_guest();
	if (!why && guest_gone(0.5) && pending(0, 0) > 0)
		why = because("QEMU is gone with %ld frames on their way", pending(0, 0));
	began = now();
	shell("ip link set %s down; ip link set %s down", card(TAP), card(MACVTAP));
	if (!why && !guest_gone(SOON))
		why = hangs();
	note("gone_ms", "%.0f", 1000 * (now() - began));
	if (!why)
		why = all_back(began);
	let_go(TAP);
	let_go(MACVTAP);
	shell("ip link set %s up; ip link set %s up", card(TAP), card(MACVTAP));
	return why;
}

/* At the very end: all devices can be removed, and vhost-net has all frames back. */
static const char *balance(const struct test *t)
{
	struct counts c;
	long left;
	int way;

	(void)t;
	kill_guest();
	if (!guest_gone(SOON))
		return hangs();
	left = pending(0, SOON);
	c = counts();
	note("started", "%ld", c.started);
	note("zerocopied", "%ld", c.zerocopied);
	note("copied", "%ld", c.copied);
	note("boots", "%u", boots);
	note("lost", "%u", lost);
	if (left > 0)
		return because("%ld of %ld frames never came back", left, c.started);
	for (way = TAP; way < WAYS; way++) {
		if (shell("[ ! -e /sys/class/net/%s ] || timeout %u ip link del %s", device(way),
			  SOON * slowdown(), device(way)))
			return because("%s could not be removed", device(way));
	}
	if (shell("timeout %u ip link del kzcbr", SOON * slowdown()))
		return "the bridge could not be removed";
	return NULL;
}

size_t fault_tests(struct test *tests)
{
	static const struct {
		const char *name;
		const char *(*run)(const struct test *t);
		bool both;
	} all[] = {
		{ "sender-closes", sender_closes, false },
		{ "host-link-down", host_link_down, false },
		{ "guest-link-down", guest_link_down, false },
		{ "driver-unbound", driver_unbound, false },
		{ "guest-dies", guest_dies, true },
		{ "guest-dies-stuck", guest_dies_stuck, true },
		{ "device-removed", device_removed, false },
	};
	size_t n = 0, i;
	int way;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (way = TAP; way <= (all[i].both ? TAP : MACVTAP); way++) {
			tests[n] = (struct test){ .run = all[i].run, .way = way };
			snprintf(tests[n].name, sizeof(tests[n].name), all[i].both ? "%s" : "%s/%s",
				 all[i].name, way_name[way]);
			n++;
		}
	}
	tests[n] = (struct test){ .run = balance, .name = "balance", .alone = true };
	return n + 1;
}
