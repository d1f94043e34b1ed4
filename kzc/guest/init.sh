#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The whole user space of a mini guest: mounts, loopback, then the agent, or a shell when the
# kernel command line says kzc.shell; powers off when that ends.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root PS1='kzc:\w# '
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts 2>/dev/null
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t debugfs none /sys/kernel/debug 2>/dev/null
mount -t tracefs none /sys/kernel/tracing 2>/dev/null
ip link set lo up
if grep -q kzc.shell /proc/cmdline; then
	setsid cttyhack sh -l
else
	sh /kzc/agent.sh
fi
poweroff -f
