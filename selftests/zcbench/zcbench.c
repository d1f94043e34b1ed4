// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcbench both [OPTION...]                both ends in one kernel, over loopback or veth
 * zcbench lead [OPTION...] HOST PORT      one end of two, which says what is done
 * zcbench follow [OPTION...] PORT         the other, until it is killed
 * zcbench spin FILE                       run in the background when nothing else does
 *
 * Whoever leads reads cells from its standard input, one in a line (cell.c), and prints two lines
 * of JSON for each, the sender's and the receiver's, or one that says why there are none.
 *
 * --host           this end is the host of two
 * --cid N          the CID of the other end
 * --cpu N          stay on this CPU
 * --peer-cpu N     where both ends are here: and the receiver on this one
 * --spinner FILE   what `zcbench spin` wrote: its CPU time is idle time
 * --turns          on one CPU: each end works until it has to wait for the other, whatever the
 *                  clock says, and a sender that is about to collect completions lets the
 *                  receiver run first, which on a CPU of its own it would have done. Where and how
 *                  often they take turns is then the same in all rounds.
 */
#include "link.h"
#include "zcbench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) refuse(const char *what)
{
	fprintf(stderr, "zcbench: %s\n", what);
	exit(2);
}

static void __attribute__((noreturn)) broke(const char *what)
{
	fprintf(stderr, "zcbench: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail(false, "CPU %d: %m", cpu);
}

static void take_turns(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_RR, &param))
		fail(false, "SCHED_RR: %m");
}

/* One end of a round, in a process of its own. */
static void __attribute__((noreturn)) do_round(const struct cell *c, const struct end *end,
					       int control)
{
	struct round r = { .cell = c, .end = end, .control = control };
	char line[4 * LINE], peers[4 * LINE];

	r.sends = sends(c, end);
	begin(&r);
	stay_on(end->cpu);
	if (end->turns)
		take_turns();
	if (c->direction == VETH && end->netns == -1)
		fail(true, "no veth devices");
	if (r.sends)
		send_round(&r, line);
	else
		receive_round(&r, line);
	if (end->leads) {
		hear(peers);
		printf("%s\n%s\n", r.sends ? line : peers, r.sends ? peers : line);
		fflush(stdout);
	} else {
		tell("%s", line);
	}
	_exit(0);
}

/* A process that ended otherwise than by _exit() has said nothing. Whether it was late. */
static bool ended(const struct cell *c, const struct end *end, pid_t pid)
{
	char reason[64];
	int status;

	if (waitpid(pid, &status, 0) == -1)
		broke("waitpid");
	if (!WIFSIGNALED(status) || !end->leads)
		return WIFEXITED(status) && WEXITSTATUS(status) == LATE;
	snprintf(reason, sizeof(reason), "killed by signal %d", WTERMSIG(status));
	print_failure(c->number, false, reason);
	return false;
}

static pid_t start(const struct cell *c, const struct end *end, int control, int unused)
{
	pid_t pid = fork();

	if (pid == -1)
		broke("fork");
	if (!pid) {
		if (unused != -1)
			close(unused);
		do_round(c, end, control);
	}
	close(control);
	return pid;
}

static bool next_cell(struct cell *c)
{
	char line[LINE];

	for (;;) {
		if (!fgets(line, sizeof(line), stdin))
			return false;
		if (line[0] == '\n' || line[0] == '#')
			continue;
		if (!parse_cell(line, c))
			refuse("a line that is no cell");
		return true;
	}
}

static void both(struct end *lead, struct end *follow)
{
	struct cell c;
	bool tried = false;
	int ends[2];
	pid_t first, second;

	while (next_cell(&c)) {
		if (c.direction == VETH && !tried) {
			lead->netns = follow->netns = link_veth(NEAR, FAR);
			tried = true;
		}
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			broke("socketpair");
		first = start(&c, follow, ends[1], ends[0]);
		second = start(&c, lead, ends[0], -1);
		ended(&c, lead, second);
		ended(&c, follow, first);
	}
}

static struct sockaddr_in where(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (!inet_pton(AF_INET, host, &a.sin_addr))
		refuse("HOST is no IPv4 address");
	return a;
}

static void at_once(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void lead_rounds(const struct end *end, const char *host, const char *port)
{
	struct sockaddr_in a = where(host, port);
	char line[LINE];
	struct cell c;
	int fd, len;

	while (next_cell(&c)) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1 || connect(fd, (void *)&a, sizeof(a)))
			broke("connect to the other end");
		at_once(fd);
		len = snprintf(line, sizeof(line), "%ld %d %d %d %d %zu %lu %lu %lu %zu %u\n",
			       c.number, c.transport, c.ip, c.direction, c.mode, c.size,
			       c.interval, c.messages, c.warmup, c.buffer, c.seconds);
		if (write(fd, line, len) != len)
			broke("write to the other end");
		/* the other kernel may be gone: whoever asked looks first, and asks again */
		if (ended(&c, end, start(&c, end, fd, -1)))
			return;
	}
}

/* The cell as the leading end sent it. */
static bool hear_cell(int fd, struct cell *c)
{
	char line[LINE];
	size_t len = 0;
	int t, d, m;

	do {
		if (len == sizeof(line) - 1 || read(fd, line + len, 1) != 1)
			return false;
	} while (line[len++] != '\n');
	line[len] = '\0';
	if (sscanf(line, "%ld %d %d %d %d %zu %lu %lu %lu %zu %u", &c->number, &t, &c->ip, &d,
		   &m, &c->size, &c->interval, &c->messages, &c->warmup, &c->buffer,
		   &c->seconds) != 11)
		return false;
	c->transport = t;
	c->direction = d;
	c->mode = m;
	return true;
}

static void follow_rounds(const struct end *end, const char *port)
{
	struct sockaddr_in a = where("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;
	struct cell c;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener == -1 || bind(listener, (void *)&a, sizeof(a)) || listen(listener, 8))
		broke("control socket");
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			broke("accept");
		at_once(fd);
		if (hear_cell(fd, &c))
			ended(&c, end, start(&c, end, fd, listener));
		else
			close(fd);
	}
}

static pid_t read_pid(const char *file)
{
	FILE *in = fopen(file, "r");
	int pid = 0;

	if (!in || fscanf(in, "%d", &pid) != 1)
		refuse("--spinner: no process in that file");
	fclose(in);
	return pid;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "host", no_argument, NULL, 'h' },
		{ "cid", required_argument, NULL, 'c' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "peer-cpu", required_argument, NULL, 'P' },
		{ "spinner", required_argument, NULL, 's' },
		{ "turns", no_argument, NULL, 't' },
		{}
	};
	struct end end = { .cid = 2, .cpu = -1, .netns = -1 }, peer = end;
	const char *verb;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			end.host = true;
		else if (option == 'c')
			end.cid = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			end.cpu = atoi(optarg);
		else if (option == 'P')
			peer.cpu = atoi(optarg);
		else if (option == 's')
			end.spinner = peer.spinner = read_pid(optarg);
		else if (option == 't')
			end.turns = peer.turns = true;
		else
			return 2;
	}
	argv += optind;
	argc -= optind;
	verb = argc ? argv[0] : "";
	if (!strcmp(verb, "spin") && argc == 2)
		spin(argv[1]);
	end.leads = strcmp(verb, "follow");
	if (!strcmp(verb, "both") && argc == 1)
		both(&end, &peer);
	else if (!strcmp(verb, "lead") && argc == 3)
		lead_rounds(&end, argv[1], argv[2]);
	else if (!strcmp(verb, "follow") && argc == 2)
		follow_rounds(&end, argv[1]);
	else
		refuse("both, lead HOST PORT, follow PORT or spin FILE");
	return 0;
}
