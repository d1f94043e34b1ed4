# SPDX-License-Identifier: GPL-2.0-only
"""Was it zerocopy, and if not, why. A rule for each known reason; what fits none is not guessed.

Sources: net/core/skbuff.c (skb_orphan_frags_rx, sock_omalloc by msg_zerocopy_realloc),
net/vmw_vsock/virtio_transport_common.c (virtio_transport_can_zcopy), msg_zerocopy.rst.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kzc.bench.plan import Knobs, show_size
from kzc.bench.values import MULTIFD, VHOST, Cell, Mode

MOSTLY = 0.95
"""From this share of completions without copying on a cell counts as zerocopy."""
_NOT_SUPPORTED = re.compile(r"EOPNOTSUPP|Operation not supported|ENOPROTOOPT|SO_ZEROCOPY")


@dataclass(frozen=True)
class Seen:
    """What is known of a cell: the share of its completions that were copied (None where none
    came), sends that met ENOBUFS, and whether local receivers keep the sender's pages (overlay)."""

    cell: Cell
    knobs: Knobs
    copied: float | None
    messages: int = 0
    enobufs: int = 0
    kept_local: bool = False


def zerocopied(seen: Seen) -> bool:
    """Whether nearly all was sent without copying. Never true of mode copy."""
    return seen.cell.mode is not Mode.COPY and seen.copied is not None and 1 - seen.copied >= MOSTLY


def why_copied(seen: Seen) -> str:
    """One sentence; empty for mode copy and where nearly all went without copying."""
    if seen.cell.mode is Mode.COPY or zerocopied(seen):
        return ""
    if seen.copied is None and seen.cell.direction in VHOST:
        return (
            "vhost-net took no frame in place: it copies those below 256 bytes (VHOST_GOODCOPY_LEN)"
        )
    if seen.copied is None:
        return "no completion came: nothing proves that it was zerocopy"
    what = "QEMU's flushes found only copies"
    if seen.cell.transport != MULTIFD:
        what = f"{seen.copied:.0%} of the completions say copied"
    return f"{what}: {next((say(seen) for fits, say in _RULES if fits(seen)), _UNKNOWN)}"


def why_retried(seen: Seen) -> str:
    """What ENOBUFS means, where sends met it."""
    if not seen.enobufs:
        return ""
    value = f", here {seen.knobs.optmem_max:,}" if seen.knobs.optmem_max else ""
    return (
        f"{seen.enobufs:,} sends met ENOBUFS and were tried again: completions are accounted "
        f"against net.core.optmem_max{value} (or RLIMIT_MEMLOCK is full)"
    )


def why_lacking(cell: Cell, reason: str) -> str:
    """What a kernel lacks, in words of the interface where the reason names an errno."""
    if cell.mode is not Mode.COPY and _NOT_SUPPORTED.search(reason):
        return f"this kernel has no SO_ZEROCOPY for {cell.transport} sockets ({reason})"
    if "EMSGSIZE" in reason or "Message too long" in reason:
        return f"more pages than a packet has room for (MAX_SKB_FRAGS) ({reason})"
    return reason


_UNKNOWN = "the reason is not known"


def _is_local(seen: Seen) -> bool:
    one_kernel = seen.cell.direction in {"loopback", "veth"}
    return seen.cell.transport != "vsock" and one_kernel and not seen.kept_local


def _local(seen: Seen) -> str:
    return (
        f"over {seen.cell.direction} the receiver is local, and the kernel copies what the skb "
        "holds of the sender's pages (skb_orphan_frags_rx)"
    )


def _beyond_buffer(seen: Seen) -> bool:
    buffer = seen.knobs.buffer  # without one a whole round has room
    return seen.cell.transport == "vsock" and buffer is not None and seen.cell.size > buffer


def _too_large(seen: Seen) -> str:
    buffer = show_size(seen.knobs.buffer or 0)
    return (
        f"a message of {show_size(seen.cell.size)} is larger than the credit that buffers of "
        f"{buffer} give (the receiver's, and on newer kernels the sender's own)"
    )


def _is_vsock(seen: Seen) -> bool:
    return seen.cell.transport == "vsock"


def _no_credit(seen: Seen) -> str:
    return (
        "vsock copies a message that does not fit into the credit that is left, or whose pages do "
        "not fit into the ring (MAX_SKB_FRAGS and a header)"
    )


_RULES: tuple[tuple[Callable[[Seen], bool], Callable[[Seen], str]], ...] = (
    (_is_local, _local),
    (_beyond_buffer, _too_large),
    (_is_vsock, _no_credit),
)
