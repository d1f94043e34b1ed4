#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The whole user space of a mini guest: mounts (/etc/fstab), modules, loopback, then the agent, or a
# shell when the kernel command line says kzc.shell; powers off when that ends. Each program started
# costs an emulated guest 10 ms, so they are few.
export PATH=/bin HOME=/root PS1='kzc:\w# '
busybox=/bin/busybox
$busybox --install -s /bin &
$busybox mount -t devtmpfs dev /dev 2>/dev/null
$busybox mkdir -p /dev/pts /dev/shm
# not every kernel has every one of them
$busybox mount -a 2>/dev/null
$busybox ip link set lo up
wait
# one for another machine refuses, as kvm_intel does on an AMD; the agent's own are waited for
for module in /kzc/modules/*.ko; do
	[ -e "$module" ] && insmod "$module" 2>/dev/null
done
connected() {
	for file in /sys/class/virtio-ports/*/name; do
		read -r name 2>/dev/null <"$file" && [ "$name" = kzc.control ] && return
	done
	return 1
}
read -r parameters </proc/cmdline
case " $parameters " in
*" kzc.shell "*)
	setsid cttyhack sh -l
	;;
*)
	# a port is there only some time after its module
	tries=50
	until connected || [ $((tries -= 1)) -lt 0 ]; do
		sleep 0.1
	done
	sh /kzc/agent.sh
	;;
esac
poweroff -f
