# SPDX-License-Identifier: GPL-2.0-only
"""Reading logs for a report: the right lines of any log, no path but a log's, never too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.results import logs
from kzc.results.logs import LogText, in_folder, none, read, safe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run" / "logs" / "test-vsock").mkdir(parents=True)
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "run" / "logs" / "link.log").symlink_to(tmp_path / "secret")
    return tmp_path / "run"


def write(folder: Path, text: bytes) -> str:
    (folder / "logs" / "test-vsock" / "control.log").write_bytes(text)
    return "logs/test-vsock/control.log"


@pytest.mark.parametrize(
    "path",
    ["../secret", "/etc/passwd", "logs/../run.json", "run.json", "logs/link.log", "logs/none.log"],
)
def test_only_logs_of_the_run_are_opened(folder: Path, path: str) -> None:
    assert in_folder(folder)(path) is None
    assert read(path, in_folder(folder)) is None


def test_a_path_that_is_fit_for_a_link() -> None:
    assert safe("logs/test-vsock/console.log") == "logs/test-vsock/console.log"
    for odd in ("javascript:alert(1)", "logs/a b", "logs/.x", "logs//x", "logs/x\n", ""):
        assert safe(odd) == ""


def test_the_line_that_says_most_of_a_case(folder: Path) -> None:
    log = write(
        folder,
        b"18\tSOCK_STREAM SIGPIPE\n"
        b"18 - SOCK_STREAM SIGPIPE...skipped\n"
        b"17 - SOCK_STREAM SHUT_RD...ok\n"
        b"18 - SOCK_STREAM SIGPIPE...recv: expected EPIPE\n"
        b"=== status 1\n"
        b"18 - SOCK_STREAM SIGPIPE...ok\n",
    )
    text = read(log, in_folder(folder))
    assert text is not None
    found = text.around("H2G/SOCK_STREAM SIGPIPE", before=1, after=1)
    assert found is not None
    assert (found.number, found.mark) == (3, 1)
    assert found.lines == (
        "17 - SOCK_STREAM SHUT_RD...ok",
        "18 - SOCK_STREAM SIGPIPE...recv: expected EPIPE",
        "=== status 1",
    )
    assert text.around("18 SOCK_STREAM SIGPIPE", before=1, after=1) == found
    assert text.around("no such case") is None


def test_the_end_of_a_log_with_its_line_numbers() -> None:
    text = LogText("logs/x", b"".join(b"line %d\n" % number for number in range(1, 101)))
    end = text.end(3)
    assert end is not None
    assert (end.number, end.lines) == (98, ("line 98", "line 99", "line 100"))
    assert LogText("logs/x", b"").end() is None


def test_a_huge_log_in_one_line_and_with_any_byte_is_cut(folder: Path) -> None:
    log = write(folder, b"\x1b[2J\x00<b>case-x" + b"\xff" * (logs.HEAD + 10_000) + b"\nthe end\n")
    text = read(log, in_folder(folder))
    assert text is not None
    assert len(text.head) == logs.HEAD
    around, end = text.around("case-x"), text.end(2)
    assert around is not None
    assert end is not None
    assert "\\x1b[2J\\x00<b>case-x" in around.lines[around.mark]
    assert max(map(len, around.lines)) < 300
    assert (end.number, end.lines[-1]) == (0, "the end")


def test_a_run_without_logs_at_hand() -> None:
    assert read("logs/x.log", none) is None
