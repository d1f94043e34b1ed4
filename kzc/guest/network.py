# SPDX-License-Identifier: GPL-2.0-only
"""A guest's one network card, behind QEMU's user network: TCP between a host and its guest.

What coordinates the two ends of a test goes this way; the test's own data never does.
"""

NETWORK = "kzc-net"
CARD = f"{NETWORK}-card"
GATEWAY = "10.0.2.2"  # the host's loopback, as the guest sees it
# of all interfaces (dummy0, vsockmon0, ...) only a card hangs on a device
UP = f"""
for card in /sys/class/net/*; do
    [ -e "$card/device" ] && name=${{card##*/}}
done
ip link set lo up
ip address add 10.0.2.15/24 dev "$name" && ip link set "$name" up &&
    ip route add default via {GATEWAY}
"""
