/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a host of vhost-net does with the frames of its guests: data, counts, and what goes away
 * while frames are on their way.
 *
 * This kernel is the host. Its guest has three cards with vhost=on, one for each way out. Ends
 * (serve.c) are processes that send and receive when they are told so: one in the guest, one at
 * the far side of each way.
 */
#ifndef VHOST_NET_H
#define VHOST_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * TAP: a tap in a bridge with a card; MACVTAP: a macvtap on another card. At the end of the wire
 * of each card is one in a network namespace of its own. LOCAL: a tap to sockets of this host.
 */
enum way { TAP, MACVTAP, LOCAL, WAYS };
enum protocol { TCP, UDP };
enum direction { G2H, H2G };

extern const char *const way_name[WAYS];

#define LINE	512

/* end.c: an end as whoever leads sees it; all that is said has the number of the last request */
struct end {
	const char *name;
	int fd;
	pid_t pid;
	unsigned int number;
	size_t have;
	char buffer[4096];
};

extern struct end guest, far[WAYS];

void ask(struct end *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The next answer to the last request; false, and words, where none came in @seconds under KVM. */
bool answer(struct end *e, char *line, double seconds);
/* Bytes up to a line that is @text, whoever sent it. */
bool await(struct end *e, const char *text, double seconds);
/* A shell command there; its status, -1 where none came. */
int shell_at(struct end *e, double seconds, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool alive(struct end *e);

/* serve.c: an end itself, until its @fd is closed */
void serve(int fd) __attribute__((noreturn));

/* data.c: messages by number, and a checksum over all that went through (FNV-1a) */
struct transfer {
	enum protocol protocol;
	size_t size;
	unsigned int count;
	unsigned int seed;
};

struct sum {
	unsigned long long bytes;
	uint64_t value;
};

/* Each ends the process where it cannot go on; the text is in @why then. */
typedef void (*teller)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct sum send_all(const struct transfer *t, const char *ip, int port, teller fail);
struct sum receive_all(const struct transfer *t, const char *ip, teller fail, teller tell);

/* trips.c: what the bench has ends do */
#define VHOST_GROUP	"/sys/fs/cgroup/kzc"
void sink(const struct transfer *t, const char *ip, pid_t spinner, teller fail, teller tell);
void blast_all(const struct transfer *t, const char *ip, int port, teller fail, teller tell);
void echo(const struct transfer *t, const char *ip, teller fail, teller tell);
void make_trips(const struct transfer *t, const char *ip, int port, teller fail, teller tell);

/* bench.c: rounds that are read from standard input */
int bench(void);

/* count.c: frames that vhost-net handed on in place, and how each came back (tracefs) */
struct counts {
	long started;
	long zerocopied;
	long copied;
};

bool can_count(char *why, size_t room);
/* No probe costs anything any more. */
void count_no_more(void);
struct counts counts(void);
struct counts since(const struct counts *before);
/* Frames that are still on their way; waits until there are @most, for @seconds under KVM. */
long pending(long most, double seconds);
/* Frames that the guest sent that way. */
long frames(enum way way);

/* host.c: the ways out and the guest behind them */
#define HELD_FOR_EVER	250000	/* ms; tc takes no 300 s */
/* Those that an earlier call of this program made are taken as they are. */
void make_ways(void);
/* Have a guest that answers; false with the reason. */
bool boot_guest(char *why, size_t room);
void kill_guest(void);
/* Whether QEMU's process is gone within @seconds under KVM. */
bool guest_gone(double seconds);
/* What the guest's kernel said that it should not have, into this kernel's log. */
void tell_console(void);
extern unsigned int boots, lost;
extern double boot_seconds;	/* of the last boot */

/* A shell command here, at most so many seconds; its status. */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *card(enum way way);
const char *device(enum way way);
/* Whether what the card sends waits for that long from here on. */
bool hold(enum way way, int ms);
void let_go(enum way way);

/* cases.c, fault.c: what is tested; the reason why it fails, NULL where it does not */
struct test {
	char name[64];
	const char *(*run)(const struct test *t);
	enum way way;
	enum direction direction;
	struct transfer transfer;
	bool alone;	/* needs no guest */
};

size_t data_tests(struct test *tests);
size_t fault_tests(struct test *tests);
#define MOST_TESTS	256

/* Send and receive as the test says; the reason why that fails, NULL where it does not. */
const char *transfer(const struct transfer *t, enum way way, enum direction d);
/* A line of metadata for the next result; words to stand behind it if it is good. */
void note(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A reason, in a buffer that the next one takes. */
const char *because(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether vhost_net.experimental_zcopytx is on. */
bool zerocopy(void);
unsigned int slowdown(void);
/* Whether this guest's clock counts instructions. */
bool by_instructions(void);
#define COUNTED	0.2	/* of its seconds, each of which a guest that spins makes two minutes of */
/* Seconds for what takes @seconds under KVM, and no boot. */
double patience(double seconds);
double now(void);
void pause_ms(int ms);

#endif
