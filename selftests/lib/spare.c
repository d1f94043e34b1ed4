// SPDX-License-Identifier: GPL-2.0-only
/* /proc/self/make-it-fail, which kernels without CONFIG_FAULT_INJECTION do not have: see spare.h. */
#include "spare.h"

#include <fcntl.h>
#include <unistd.h>

static int depth;
static char before;

static int file(int flags)
{
	return open("/proc/self/make-it-fail", flags | O_CLOEXEC);
}

static void set(char value)
{
	int fd = file(O_WRONLY);

	if (fd == -1)
		return;
	if (write(fd, &value, 1) != 1)
		_exit(1); /* what follows would be told of with the wrong reason */
	close(fd);
}

void spare_begin(void)
{
	int fd;

	if (depth++)
		return;
	before = '0';
	fd = file(O_RDONLY);
	if (fd == -1)
		return;
	if (read(fd, &before, 1) != 1)
		before = '0';
	close(fd);
	if (before != '0')
		set('0');
}

void spare_end(void)
{
	if (!--depth && before != '0')
		set(before);
}
