# SPDX-License-Identifier: GPL-2.0-only
"""A guest's cards. One behind QEMU's user network: TCP between a host and its guest. What
coordinates the two ends of a test goes this way; the test's own data never does.

And wires, for a guest that is itself a host: a wire's two cards take frames in fragments and send
them as they are, as cards of a real host do, which virtio's do not behind a hub.
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


def wired(count: int) -> tuple[str, ...]:
    """QEMU's options for so many wires; the cards of wire W have the addresses
    52:54:00:6b:7a:W0 and 52:54:00:6b:7a:W1."""
    found: list[str] = []
    for wire in range(count):
        for end in range(2):
            name = f"kzc-wire{wire}{end}"
            found += [
                *("-netdev", f"hubport,id={name},hubid={wire + 1}"),
                *("-device", f"e1000e,netdev={name},mac=52:54:00:6b:7a:{wire}{end},romfile="),
            ]
    return tuple(found)
