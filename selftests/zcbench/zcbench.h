/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcbench: what sending costs, copied and with MSG_ZEROCOPY.
 *
 * Two ends, the one that leads and the one that follows, do a round per cell: one of them sends,
 * the other receives. A round has a control connection and two processes of its own, so what
 * fails in it ends with it. The ends agree on each step by lines on the control connection, never
 * by waiting for some time.
 */
#ifndef ZCBENCH_H
#define ZCBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum transport { VSOCK, TCP, UDP, RAW, PACKET };
enum direction { LOOPBACK, VETH, G2H, H2G };
enum mode { COPY, ERRQUEUE, NOTIFICATION };

/*
 * What a round measures. Collected is after each @interval messages, and always at the end. The
 * first @warmup messages are not measured, and their contents are checked. @buffer is the size of
 * socket buffers, 0: of a size with which nothing waits for it. A round may take @seconds.
 */
struct cell {
	long number;
	enum transport transport;
	int ip;
	enum direction direction;
	enum mode mode;
	size_t size;
	unsigned long interval;
	unsigned long messages;
	unsigned long warmup;
	size_t buffer;
	unsigned int seconds;
};

/* One end. @cid is where its peer is, @spinner the process that runs when nothing else does. */
struct end {
	bool leads;
	bool host;
	bool turns;
	unsigned int cid;
	int cpu;
	pid_t spinner;
	int netns;	/* the far end of veth, -1 without */
};

/* What one end has of a round: its cell, and the control connection. */
struct round {
	const struct cell *cell;
	const struct end *end;
	int control;
	bool sends;
};

#define LINE	512

/* cell.c: "NUMBER TRANSPORT IP DIRECTION MODE SIZE INTERVAL MESSAGES WARMUP BUFFER SECONDS" */
bool parse_cell(const char *line, struct cell *c);
bool is_stream(const struct cell *c);
size_t total(const struct cell *c, unsigned long messages);
bool sends(const struct cell *c, const struct end *end);

/*
 * control.c: lines on the control connection, and the end of a round that failed. @lacks: the
 * kernel has not what it takes, nobody's fault. Whoever leads prints the reason, the peer's first.
 */
void begin(const struct round *r);
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The next line that is no window's end; fails where the peer is gone or says that it failed. */
void hear(char *line);
/* The end of a window: the receiver has all of it. */
void tell_window(void);
void hear_window(void);
/* True when there is something to hear within @ms milliseconds, -1: for ever. */
bool listens(int ms);
/* How a process ends whose round was not over in time. */
#define LATE	3

void __attribute__((noreturn, format(printf, 2, 3))) fail(bool lacks, const char *fmt, ...);
void print_failure(long number, bool lacks, const char *reason);

/* The value of a call that has to succeed. */
#define must(call)							\
	({								\
		long _value = (long)(call);				\
									\
		if (_value == -1)					\
			fail(false, "%s: %m", #call);			\
		_value;							\
	})

/* socket.c */
int open_receiver(const struct round *r);	/* and tell where it is */
int accept_sender(const struct round *r, int fd);
int open_sender(const struct round *r);		/* connected to where the peer told */
/* Where each message has to be sent to; 0 bytes where the socket knows. */
size_t destination(const struct round *r, void *to, size_t room);
/* Send what TCP still keeps back to send it with more. */
void flush(const struct round *r, int fd);
size_t overhead(const struct cell *c);		/* bytes before a message as it is received */
/*
 * Messages after which the sender waits for a line from the receiver, 0: it never does. With
 * datagrams nothing is lost then for want of room; where ends take turns, none of them waits for
 * the other in the middle of something.
 */
unsigned long window_of(const struct round *r);

/* complete.c: sends that are not completed yet, and what completed ones were */
struct completions {
	uint32_t sent;
	uint32_t done;
	uint32_t zerocopied;
	uint32_t copied;
	uint64_t *at;	/* when each was sent, then how long it took */
	size_t room;
};

/* system calls made, but for those that keep the two ends together */
extern unsigned long calls;

/* From here on @at counts, ids before are of the warm-up. */
void forget_completions(struct completions *c);
void completed(struct completions *c, uint32_t lo, uint32_t hi, bool copied);
void collect(struct completions *c, int fd);
void collect_all(struct completions *c, int fd);
/* A request for completions in a control buffer of sendmsg; false: this kernel has none. */
bool can_ask(void);
size_t ask(void *control, size_t room);
void answered(struct completions *c, void *control, size_t len);

/* send.c, receive.c: the measured part; the line is what this end has to say */
void send_round(const struct round *r, char *line);
void receive_round(const struct round *r, char *line);

/* Messages hold a pattern; the first byte of a datagram says what it is the last of. */
enum { PLAIN, WINDOW, WINDOW_AGAIN, LAST, LAST_AGAIN, KINDS };
void fill(uint8_t *message, size_t size, int kind);

/* meter.c: clocks in nanoseconds; where a guest counts instructions, that is what they are */
struct meter {
	uint64_t now;
	uint64_t cpu;		/* exact: CLOCK_PROCESS_CPUTIME_ID */
	uint64_t system;	/* of it, as ticks saw it: getrusage() */
	uint64_t idle;		/* of the spinner */
	int64_t cycles;		/* of the process, by its PMU; -1 where there is none */
	int64_t all_cycles;	/* of all CPUs */
	unsigned long switches;
};

uint64_t now(void);
/* Count cycles from here on, as perf stat(1) does, where there is a PMU. */
void count_cycles(void);
void read_meter(const struct round *r, struct meter *m);
struct meter passed(const struct meter *from, const struct meter *to);
long idle_of(const struct round *r, const struct meter *m);
void spin(const char *file) __attribute__((noreturn));

/* what a pair of link_veth() is called */
#define NEAR	"zcb0"
#define FAR	"zcb1"

#endif
