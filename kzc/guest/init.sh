#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The whole user space of a mini guest: mounts, modules, loopback, then the agent, or a shell when
# the kernel command line says kzc.shell; powers off when that ends.
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
# one for another machine refuses, as kvm_intel does on an AMD; the agent's own are waited for
for module in /kzc/modules/*.ko; do
	[ -e "$module" ] && insmod "$module" 2>/dev/null
done
ip link set lo up
if grep -q kzc.shell /proc/cmdline; then
	setsid cttyhack sh -l
else
	# a port is there only some time after its module
	tries=50
	until grep -qsx kzc.control /sys/class/virtio-ports/*/name || [ $((tries -= 1)) -lt 0 ]; do
		sleep 0.1
	done
	sh /kzc/agent.sh
fi
poweroff -f
