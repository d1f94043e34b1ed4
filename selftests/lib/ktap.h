/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KTAP for the tests of this folder: a table of tests, each run in a process of its own.
 *
 * A test that returns has passed. One that dies, hangs or calls ktap_fail() has not; the reason
 * stands behind its result.
 */
#ifndef KZC_KTAP_H
#define KZC_KTAP_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct zc_transport;

/* One result per transport in the mask @on, named NAME/TRANSPORT; with no mask one named NAME. */
struct ktap_test {
	const char *name;
	void (*run)(const struct zc_transport *t);
	unsigned int on;
};

/*
 * Runs the tests, or those named in @argv, and returns the exit status. "--list" prints the names.
 * @seconds: how long each may take under KVM.
 */
int ktap_main(int argc, char **argv, const struct ktap_test *tests, size_t count,
	      unsigned int seconds);

/* How much longer than under KVM things may take here: $KZC_SLOWDOWN. */
unsigned int ktap_slowdown(void);

void __attribute__((noreturn, format(printf, 1, 2))) ktap_fail(const char *fmt, ...);
void __attribute__((noreturn, format(printf, 1, 2))) ktap_skip(const char *fmt, ...);
/* A failure that is known, of kernels that are not under test: XFAIL. */
void __attribute__((noreturn, format(printf, 1, 2))) ktap_known(const char *fmt, ...);
/* A line of the log, which changes nothing. */
void __attribute__((format(printf, 1, 2))) ktap_note(const char *fmt, ...);

#define check(cond, fmt, ...)							\
	do {									\
		if (!(cond))							\
			ktap_fail("line %d: " fmt, __LINE__, ##__VA_ARGS__);	\
	} while (0)

/* The value of a call that has to succeed. */
#define must(call)								\
	({									\
		long _value = (long)(call);					\
										\
		if (_value == -1)						\
			ktap_fail("line %d: %s: %s", __LINE__, #call,		\
				  strerror(errno));				\
		_value;								\
	})

/* A call that has to fail in this way. */
#define must_fail(call, error)							\
	do {									\
		long _value = (long)(call);					\
										\
		if (_value != -1)						\
			ktap_fail("line %d: %s: returned %ld, not %s",		\
				  __LINE__, #call, _value, #error);		\
		if (errno != (error))						\
			ktap_fail("line %d: %s: %s, not %s", __LINE__, #call,	\
				  strerror(errno), #error);			\
	} while (0)

#endif
