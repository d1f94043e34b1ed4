# SPDX-License-Identifier: GPL-2.0-only
"""A run as a developer meets it: patches apply, one warning, a crash in vsock, zerocopy tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kzc.values import Case, Outcome, Run, Stage, Verdict

FOLDER = Path("runs/20261121-093015-3fa2")
ENVIRONMENT = {
    "tree": "linux-source-6.12",
    "tree_id": "9f3c1d7ab2e4",
    "series": "scm-zc-notification",
    "profile": "default",
    "config_hash": "5be01c77",
    "release": "6.12.117",
    "compiler": "gcc 12.2.0",
    "guest": "mini, 2 CPUs, 1024 MB",
    "accelerator": "tcg",
    "qemu": "7.2.22",
    "virtme_ng": "1.42",
    "machine": "x86_64, 2 CPUs, 7.8 GB",
}
SUBJECTS = (
    "sock: put a name on the copied flag of zerocopy completions",
    "sock: add SCM_ZC_NOTIFICATION",
    "selftests: msg_zerocopy: test SCM_ZC_NOTIFICATION",
    "docs: msg_zerocopy: describe SCM_ZC_NOTIFICATION",
)
VSOCK = (
    "SOCK_STREAM connection reset",
    "SOCK_STREAM bind only",
    "SOCK_STREAM client close",
    "SOCK_STREAM server close",
    "SOCK_STREAM multiple connections",
    "SOCK_STREAM MSG_PEEK",
    "SOCK_SEQPACKET msg bounds",
    "SOCK_SEQPACKET MSG_TRUNC flag",
    "SOCK_SEQPACKET timeout",
    "SOCK_SEQPACKET invalid receive buffer",
    "SOCK_STREAM poll() + SO_RCVLOWAT",
    "SOCK_SEQPACKET big message",
    "SOCK_STREAM test invalid buffer",
    "SOCK_SEQPACKET test invalid buffer",
    "SOCK_STREAM virtio skb merge",
    "SOCK_SEQPACKET MSG_PEEK",
    "SOCK_STREAM SHUT_WR",
    "SOCK_STREAM SHUT_RD",
    "SOCK_STREAM SIGPIPE",
    "SOCK_SEQPACKET SIGPIPE",
    "SOCK_STREAM MSG_ZEROCOPY",
    "SOCK_SEQPACKET MSG_ZEROCOPY",
    "SOCK_STREAM MSG_ZEROCOPY empty errqueue",
    "SOCK_STREAM double bind connect",
    "SOCK_STREAM virtio credit update",
    "SOCK_STREAM ioctl(SIOCOUTQ) 0 unsent bytes",
)
_FAILED, _CRASHED = 18, 20


def run() -> Run:
    """The run with everything in it."""
    return Run(
        id="20261121-093015-3fa2",
        started="2026-11-21T09:30:15.250000Z",
        finished="2026-11-21T09:34:27.500000Z",
        command=("kzc", "run", "scm-zc-notification", "--tree", "linux-source-6.12"),
        kzc="0.1.0",
        environment=ENVIRONMENT,
        outcomes=(*_applied(), _built(), _booted(), _vsock(), _msg_zerocopy()),
    )


def clean_run() -> Run:
    """The same without the crash: all is well."""
    whole = run()
    return Run(**{**vars(whole), "outcomes": (*whole.outcomes[:6], _msg_zerocopy())})


def _applied() -> list[Outcome]:
    return [
        Outcome(
            Stage.APPLY,
            f"{number}/4 {subject}",
            Verdict.PASS,
            0.4,
            f"logs/apply-{number}.log",
            detail={"fit": "applies", "commit": f"{number}" * 12},
            reason="applies",
        )
        for number, subject in enumerate(SUBJECTS, 1)
    ]


def _built() -> Outcome:
    warning = {
        "file": "net/core/sock.c",
        "line": 2941,
        "kind": "warning",
        "text": "unused variable 'zc_info_size' [-Wunused-variable]",
    }
    return Outcome(
        Stage.BUILD,
        "6.12.117, profile default",
        Verdict.PASS,
        148.2,
        "logs/build.log",
        detail={"warnings": [warning], "key": "d41d8cd98f00", "cached": False},
    )


def _booted() -> Outcome:
    return Outcome(
        Stage.BOOT, "mini", Verdict.PASS, 2.3, "logs/boot.log", reason="first command after 2.3 s"
    )


def _vsock() -> Outcome:
    cases = []
    for number, name in enumerate(VSOCK):
        verdict, reason, detail = Verdict.PASS, "", dict[str, Any]()
        if number == _FAILED:
            verdict, reason = Verdict.FAIL, "recv: expected EPIPE, got ECONNRESET"
            detail = {"excerpt": ["18 - SOCK_STREAM SIGPIPE...", "recv: Connection reset by peer"]}
        if number == _CRASHED:
            verdict, reason = Verdict.CRASH, "the kernel oopsed while the test ran"
        if number > _CRASHED:
            verdict, reason = Verdict.NOT_RUN, "the guest died in test 20"
        cases.append(Case(f"{number} {name}", verdict, 0.25, reason, detail))
    return Outcome(
        Stage.TEST,
        "vsock",
        Verdict.CRASH,
        31.4,
        "logs/test-vsock.log",
        tuple(cases),
        {
            "signature": "virtio_transport_recv_pkt < vsock_loopback_work < process_one_work",
            "excerpt": [
                "[   14.201] BUG: kernel NULL pointer dereference, address: 0000000000000018",
                "[   14.201] RIP: 0010:virtio_transport_recv_pkt+0x1c3/0x7d0",
                "[   14.202]  vsock_loopback_work+0x11a/0x150",
                "[   14.202]  process_one_work+0x16b/0x360",
            ],
            "repeat": "kzc test vsock --tree linux-source-6.12 --series scm-zc-notification "
            "--only '20 SOCK_STREAM MSG_ZEROCOPY'",
            "hint": "the same under KASAN and lockdep: kzc test vsock --profile debug",
        },
        "kernel NULL pointer dereference in virtio_transport_recv_pkt",
    )


def _msg_zerocopy() -> Outcome:
    cases = []
    for proto, copied in (("tcp", True), ("udp", False)):
        for ip in (4, 6):
            for mode in ("copy", "zerocopy", "notification"):
                zero = mode != "copy"
                detail = {
                    "proto": proto,
                    "ip": ip,
                    "mode": mode,
                    "tx": 163004,
                    "tx_mb": 10172,
                    "txc": 163004 if zero else 0,
                    "zc": "y" if zero and not copied else "n",
                    "rx": 81502,
                    "rx_mb": 10171 + 900 * zero,
                }
                cases.append(Case(f"{proto} IPv{ip} {mode}", Verdict.PASS, 4.1, "", detail))
    reason = "setsockopt(SO_ZEROCOPY) is not supported for this socket (EOPNOTSUPP)"
    for proto in ("raw", "raw_hdrincl", "packet", "packet_dgram"):
        name, detail = f"{proto} IPv4 zerocopy", {"proto": proto, "ip": 4, "mode": "zerocopy"}
        cases.append(Case(name, Verdict.SKIP, 0.1, reason, detail))
    return Outcome(
        Stage.TEST, "msg_zerocopy", Verdict.PASS, 52.6, "logs/test-msg_zerocopy.log", tuple(cases)
    )
