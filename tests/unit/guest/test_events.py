# SPDX-License-Identifier: GPL-2.0-only
"""Console lines as events; the lines are from real consoles."""

from pathlib import Path

import pytest

from kzc.guest.events import Event, Kind, event, misplaced, strip_stamp

DATA = Path(__file__).parents[2] / "data" / "guest"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[    0.853817] Run /init as init process", Kind.BOOTED),
        ("Kernel panic - not syncing: sysrq triggered crash", Kind.PANIC),
        ("[   12.000001][  T123] Kernel panic - not syncing: Fatal exception", Kind.PANIC),
        ("[    1.2] BUG: kernel NULL pointer dereference, address: 0000000000000008", Kind.SPLAT),
        ("WARNING: CPU: 0 PID: 71 at net/core/sock.c:2968 sock_cmsg_send+0x1/0x2", Kind.SPLAT),
        ("INFO: task sh:71 blocked for more than 120 seconds.", Kind.SPLAT),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [sh:71]", Kind.SPLAT),
    ],
)
def test_noteworthy_lines(line: str, kind: Kind) -> None:
    found = event(line)
    assert found is not None
    assert found.kind is kind


def test_marks_name_what_begins_and_ends() -> None:
    assert event("[    3.0] kzc: begin vsock/stream") == Event(Kind.BEGIN, "vsock/stream")
    assert event("kzc: end vsock/stream") == Event(Kind.END, "vsock/stream")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Command line: console=ttyS0 panic=-1",
        "[    0.1] printk: log_buf_len: 4194304 bytes; DEBUG: no",
        "echo Kernel panic - not syncing",
        "debugfs: BUGS are elsewhere",
        "x86/fpu: WARNINGS off",
    ],
)
def test_other_lines_are_no_events(line: str) -> None:
    assert event(line) is None


def test_stamps_of_every_form_are_taken_off() -> None:
    for stamp in ("", "[    1.234567] ", "[ 1.2][   T12] ", "<6>[   10.000000][    C0] "):
        assert strip_stamp(f"{stamp}text [0.1] x") == "text [0.1] x"


def test_an_event_that_no_cpu_delivers_is_the_emulations() -> None:
    said = (DATA / "misplaced.log").read_text().splitlines()
    assert misplaced(said)
    assert not misplaced(said[:5])
    assert not misplaced(line.replace("entry_SYSRETQ_unsafe_stack", "tcp_sendmsg") for line in said)
    assert not misplaced(line.replace("double fault", "invalid opcode") for line in said)
