// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways out of the guest, made with ip and tc, and the guest: this very kernel, with the
 * initramfs of kzc's mini guests, whose agent becomes an end.
 *
 * On emulated SVM a guest is lost now and then; then it is started again, which is said. What
 * takes most of them, and how ports help, stands in kzc/guest/argv.py.
 */
#include "vhost_net.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTEMPTS	8
#define BOOT		8	/* seconds under KVM */
#define CONSOLE		"/tmp/kzc-vhost-net.console"
#define QEMU_LOG	"/tmp/kzc-vhost-net.qemu"

const char *const way_name[WAYS] = { "tap", "macvtap", "local" };
unsigned int boots, lost;
double boot_seconds;

static char cards[WAYS][32];

int shell(const char *fmt, ...)
{
	char command[2048];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	fflush(stdout);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

const char *card(enum way way)
{
	return cards[way];
}

const char *device(enum way way)
{
	static const char *const names[WAYS] = { "kzctap", "kzcmv", "kzclocal" };

	return names[way];
}

/* Cards on a wire have addresses that say which: 52:54:00:6b:7a:WE, wire W and end E. */
static bool find_card(int wire, int end, char *name)
{
	char command[256];
	FILE *f;

	snprintf(command, sizeof(command),
		 "for c in /sys/class/net/*; do read -r m <$c/address; [ $m = 52:54:00:6b:7a:%d%d ] && "
		 "echo ${c##*/}; done", wire, end);
	f = popen(command, "r");
	if (!f || fscanf(f, "%31s", name) != 1)
		name[0] = '\0';
	if (f)
		pclose(f);
	return name[0];
}

static void become_far(struct end *e, enum way way)
{
	char path[64];
	int ends[2], ns;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		exit(3);
	fflush(stdout);
	e->pid = fork();
	if (!e->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		snprintf(path, sizeof(path), "/run/netns/kzcfar%d", way);
		ns = way == LOCAL ? -1 : open(path, O_RDONLY);
		if (way != LOCAL && setns(ns, CLONE_NEWNET))
			_exit(3);
		serve(ends[1]);
	}
	close(ends[1]);
	e->fd = ends[0];
}

static void make_device(enum way way)
{
	shell("ip link del %s 2>/dev/null", device(way));
	if (way == MACVTAP) {
		shell("ip link add link %s name kzcmv address 52:54:00:12:00:01 type macvtap mode bridge && "
		      "ip link set kzcmv up", card(way));
		return;
	}
	shell("ip tuntap add %s mode tap vnet_hdr && ip link set %s up", device(way), device(way));
	if (way == TAP)
		shell("ip link set kzctap master kzcbr");
	else
		shell("ip address add 10.9.2.1/24 dev kzclocal");
}

void make_ways(void)
{
	char other[32];
	int way;

	shell("mkdir -p /run/netns; echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;"
	      "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; [ -e /sys/class/net/kzcbr ] || "
	      "{ ip link add kzcbr type bridge mcast_snooping 0 && ip link set kzcbr up; }");
	for (way = TAP; way <= MACVTAP; way++) {
		bool far_there = !shell("[ -e /run/netns/kzcfar%d ]", way);

		if (!find_card(way, 0, cards[way]) || !(far_there || find_card(way, 1, other))) {
			printf("Bail out! there is no wire %d: two cards that QEMU's hub connects\n", way);
			exit(1);
		}
		if (far_there)
			continue;
		shell("ip netns add kzcfar%d && ip link set %s netns kzcfar%d && "
		      "ip -n kzcfar%d address add 10.9.%d.1/24 dev %s && ip -n kzcfar%d link set %s up && "
		      "ip link set %s up", way, other, way, way, way, other, way, other, card(way));
	}
	shell("ip link set %s master kzcbr", card(TAP));
	for (way = TAP; way < WAYS; way++)
		become_far(&far[way], way);
}

bool hold(enum way way, int ms)
{
	return !shell("tc qdisc replace dev %s root netem delay %dms limit 10000", card(way), ms);
}

void let_go(enum way way)
{
	shell("tc qdisc del dev %s root 2>/dev/null", card(way));
}

static void wait_for_carrier(void)
{
	int way;

	for (way = TAP; way <= MACVTAP; way++)
		shell("for i in $(seq 100); do read -r up </sys/class/net/%s/carrier; "
		      "[ \"$up\" = 1 ] && break; sleep 0.1; done", card(way));
}

static void exec_qemu(int control, int macvtap)
{
	const char *image = getenv("KZC_IMAGE"), *initrd = getenv("KZC_INITRD");
	const char *qemu = getenv("KZC_QEMU"), *cpu = getenv("KZC_CPU"), *append = getenv("KZC_APPEND");
	const char *devices = getenv("KZC_DEVICES");
	bool emulated = !shell("grep -q 'model name.*QEMU TCG' /proc/cpuinfo");
	bool kvm = !shell("[ -r /dev/kvm -a -w /dev/kvm ]");
	const char *model = !kvm ? "-accel tcg -cpu max" : "-accel kvm -cpu host";
	char command[4096], other[256];

	if (kvm && emulated && cpu) {
		snprintf(other, sizeof(other), "-accel kvm -cpu %s %s", cpu,
			 devices ? devices : "");
		model = other;
	}
	snprintf(command, sizeof(command),
		 "exec %s %s -machine q35,sata=off,smbus=off,vmport=off,hpet=off "
		 "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
		 "%s -smp 1 -m 512M -nodefaults -no-user-config -no-reboot -display none "
		 "-kernel '%s' -initrd '%s' "
		 "-append 'console=hvc0 panic=-1 softlockup_panic=1 hung_task_panic=1 ignore_loglevel %s' "
		 "-chardev file,id=console,path=" CONSOLE " -chardev socket,id=control,fd=%d "
		 "-device virtio-serial-pci -device virtconsole,chardev=console "
		 "-device virtserialport,chardev=control,name=kzc.control "
		 "-netdev tap,id=n0,ifname=kzctap,script=no,downscript=no,vhost=on "
		 "-device virtio-net-pci,netdev=n0,romfile=,mac=52:54:00:12:00:00 "
		 "-netdev tap,id=n1,fd=%d,vhost=on "
		 "-device virtio-net-pci,netdev=n1,romfile=,mac=52:54:00:12:00:01 "
		 "-netdev tap,id=n2,ifname=kzclocal,script=no,downscript=no,vhost=on "
		 "-device virtio-net-pci,netdev=n2,romfile=,mac=52:54:00:12:00:02 "
		 ">" QEMU_LOG " 2>&1 </dev/null",
		 emulated && kvm && sysconf(_SC_NPROCESSORS_ONLN) > 1 ? "taskset -c 1" : "",
		 qemu ? qemu : "qemu-system-x86_64", model, image, initrd, append ? append : "",
		 control, macvtap);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* A QEMU whose guest KVM gave up waits for somebody to look at it. */
static void end_what_kvm_gives_up(pid_t pid)
{
	static pid_t watcher;
	struct stat log;

	if (watcher > 0 && !kill(watcher, SIGKILL))
		waitpid(watcher, NULL, 0);
	watcher = fork();
	if (watcher)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (; !kill(pid, 0); pause_ms(500)) {
		if (!stat(QEMU_LOG, &log) && log.st_size &&
		    !shell("grep -q '^KVM internal error' " QEMU_LOG))
			kill(pid, SIGKILL);
	}
	_exit(0);
}

static bool start_qemu(char *why, size_t room)
{
	const struct sched_param calm = { 0 };
	char path[64] = "";
	int ends[2], macvtap;
	FILE *f;
	int way;

	for (way = TAP; way < WAYS; way++)
		make_device(way);
	wait_for_carrier();
	f = popen("echo /dev/tap$(cat /sys/class/net/kzcmv/ifindex)", "r");
	if (!f || fscanf(f, "%63s", path) != 1)
		path[0] = '\0';
	if (f)
		pclose(f);
	macvtap = open(path, O_RDWR);
	if (macvtap == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) {
		snprintf(why, room, "no macvtap: %s: %s", path, strerror(errno));
		return false;
	}
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	guest.have = 0;
	unlink(QEMU_LOG);
	guest.pid = fork();
	if (!guest.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sched_setscheduler(0, SCHED_OTHER, &calm);
		exec_qemu(ends[1], macvtap);
	}
	close(ends[1]);
	close(macvtap);
	guest.fd = ends[0];
	end_what_kvm_gives_up(guest.pid);
	boots++;
	return true;
}

/* The guest's agent takes one command, which is an end from then on. */
static bool begin_to_serve(void)
{
	static const char text[] =
		"for c in /sys/class/net/*; do read -r m <$c/address; case $m in 52:54:00:12:00:*) "
		"n=${m##*:0}; ip link set ${c##*/} name g$n; ip address add 10.9.$n.2/24 dev g$n; "
		"ip link set g$n up; esac; done; exec /kzc/bin/vhost_net serve";
	char command[1024];
	FILE *f;
	size_t len;

	setenv("KZC_TEXT", text, 1);
	f = popen("printf 'go '; printf %s \"$KZC_TEXT\" | base64 -w0; echo", "r");
	if (!f)
		return false;
	len = fread(command, 1, sizeof(command), f);
	pclose(f);
	if (write(guest.fd, command, len) != (ssize_t)len)
		return false;
	ask(&guest, "ping");
	snprintf(command, sizeof(command), "%u pong", guest.number);
	return await(&guest, command, BOOT);
}

bool guest_gone(double seconds)
{
	double until = now() + seconds * slowdown();

	while (guest.pid > 0 && waitpid(guest.pid, NULL, WNOHANG) != guest.pid) {
		if (now() >= until)
			return false;
		pause_ms(10);
	}
	guest.pid = 0;
	return true;
}

void kill_guest(void)
{
	if (guest.pid > 0)
		kill(guest.pid, SIGKILL);
	if (guest.fd != -1)
		close(guest.fd);
	guest.fd = -1;
}

/* One that is lost is not waited for much longer than the first that came up took. */
static double boot_patience(void)
{
	double enough = 8 * boot_seconds / slowdown();

	return boot_seconds && enough < BOOT ? enough : BOOT;
}

bool boot_guest(char *why, size_t room)
{
	int attempt;

	if (guest.fd != -1 && alive(&guest))
		return true;
	for (attempt = 1; attempt <= ATTEMPTS; attempt++) {
		double began;

		kill_guest();
		if (!guest_gone(30)) {
			snprintf(why, room, "the guest before is still there");
			return false;
		}
		tell_console();
		began = now();
		if (!start_qemu(why, room))
			return false;
		if (await(&guest, "kzc-agent 1", boot_patience()) && begin_to_serve()) {
			boot_seconds = now() - began;
			return true;
		}
		printf("# the guest did not come up, attempt %d\n", attempt);
		fflush(stdout);
		/* what KVM could not do is a page of registers, and stands before them */
		shell("{ tail -n 40 " QEMU_LOG "; tail -n 5 " CONSOLE "; } | sed 's/^/# /'");
		lost++;
	}
	snprintf(why, room, "the guest did not come up in %d attempts", ATTEMPTS);
	return false;
}

void tell_console(void)
{
	shell("[ -e " CONSOLE " ] && grep -aE -A24 'WARNING:|BUG:|BUG |Oops|KASAN|general protection|"
	      "Kernel panic|INFO: task|unreferenced object' " CONSOLE " | tr -d '\\r' | head -n 60 | "
	      "while IFS= read -r line; do echo \"second level: $line\" >/dev/kmsg; done; rm -f " CONSOLE);
}
