#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's end of the control channel, a virtio-serial port named kzc.control.
# Takes lines "NONCE BASE64", runs the decoded text in a shell of its own session, sends what it
# writes and then a line "NONCE STATUS". Runs under busybox sh as under dash and bash.
for port in /sys/class/virtio-ports/*; do
	read -r name 2>/dev/null <"$port/name" && [ "$name" = kzc.control ] && device=/dev/${port##*/}
done
exec 3<>"$device" || exit 1
echo "kzc-agent 1" >&3
while read -r nonce code <&3; do
	text=$(echo "$code" | base64 -d)
	setsid sh -c "$text" </dev/null >&3 2>&1 3>&-
	printf '\n%s %d\n' "$nonce" "$?" >&3
done
