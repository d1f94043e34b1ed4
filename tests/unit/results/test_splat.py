# SPDX-License-Identifier: GPL-2.0-only
"""Call traces taken apart: raw, decoded, with timestamps, and what is none."""

from __future__ import annotations

from kzc.results.splat import splat

RAW = """\
[   14.201344] BUG: kernel NULL pointer dereference, address: 0000000000000018
[   14.201400] RIP: 0010:virtio_transport_recv_pkt+0x1c3/0x7d0
[   14.201500] Code: 00 00 48 8b
[   14.201600] RAX: 0000000000000000 RBX: ffff888003a1c000
[   14.202000] Call Trace:
[   14.202001]  <TASK>
[   14.202002]  ? __die+0x23/0x70
[   14.202003]  vsock_loopback_work.constprop.0+0x11a/0x150 [vsock_loopback]
[   14.202004]  process_one_work+0x16b/0x360
[   14.202005]  </TASK>
""".splitlines()

DECODED = """\
WARNING: CPU: 0 PID: 1 at net/core/skbuff.c:10 skb_release+0x1/0x2
RIP: 0010:skb_release (net/core/skbuff.c:10 (discriminator 1))
Call Trace:
 <TASK>
 sock_wfree (net/core/sock.c:2520)
 ? worker_thread (kernel/workqueue.c:3391)
 </TASK>
""".splitlines()


def test_a_raw_trace() -> None:
    found = splat(RAW, "null-dereference: virtio_transport_recv_pkt < vsock_loopback_work")
    assert found is not None
    assert found.title == "BUG: kernel NULL pointer dereference, address: 0000000000000018"
    assert found.pointer is not None
    assert (found.pointer.name, found.pointer.where) == ("virtio_transport_recv_pkt", "")
    assert [(frame.name, frame.doubtful, frame.named) for frame in found.frames] == [
        ("__die", True, False),
        ("vsock_loopback_work.constprop.0", False, True),
        ("process_one_work", False, False),
    ]


def test_a_decoded_trace_has_source_lines() -> None:
    found = splat(DECODED)
    assert found is not None
    assert found.pointer is not None
    assert found.pointer.where == "net/core/skbuff.c:10"
    assert [(frame.name, frame.where) for frame in found.frames] == [
        ("sock_wfree", "net/core/sock.c:2520"),
        ("worker_thread", "kernel/workqueue.c:3391"),
    ]


def test_what_has_no_trace_is_none() -> None:
    assert splat(()) is None
    assert splat(["18 - SOCK_STREAM SIGPIPE...", "recv: Connection reset by peer"]) is None
    assert splat([" a < b", "x" * 100_000, " " * 100_000 + "y"]) is None


def test_a_trace_without_end_is_cut() -> None:
    found = splat(["Call Trace:", *(f" f{number}+0x1/0x2" for number in range(1000))])
    assert found is not None
    assert len(found.frames) == 40
