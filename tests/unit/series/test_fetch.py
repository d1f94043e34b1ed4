# SPDX-License-Identifier: GPL-2.0-only
"""A Message-ID becomes a thread: what is one, what b4 is asked, and what its words are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

import pytest

from kzc.errors import HostError, UsageError
from kzc.jobs.intake import Request, take
from kzc.jobs.workshop import find_program
from kzc.proc import Done, How, LocalRunner
from kzc.series.choose import NEWEST, Choice
from kzc.series.fetch import fetch_thread, message_id
from tests.plain import RUNNER
from tests.unit.series.posts import mbox, posting


@dataclass
class B4(LocalRunner):
    """Writes a thread where b4 is told to; the rest runs."""

    thread: bytes
    said: str = ""
    asked: list[list[str]] = field(default_factory=list)

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        self.asked.append([*argv])
        env = how["env"]
        assert env is not None
        assert env["XDG_DATA_HOME"] == env["XDG_CACHE_HOME"] == str(how["cwd"])
        if self.thread:
            out = Path(argv[argv.index("-o") + 1])
            (out / argv[argv.index("-n") + 1]).write_bytes(self.thread)
        return Done(tuple(argv), 0, "", self.said, 0.0)


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("2024.1-jane@example.org", "2024.1-jane@example.org"),
        ("<2024.1-jane@example.org>", "2024.1-jane@example.org"),
        ("https://lore.kernel.org/netdev/2024.1-jane@example.org/", "2024.1-jane@example.org"),
        ("https://lore.kernel.org/r/a%2Bb@x.org", "a+b@x.org"),
        ("http://patch.msgid.link/a@x.org/T/#u", "a@x.org"),
        ("https://lore.kernel.org/netdev/", ""),
        ("./a@x.org", ""),
        ("-o@x.org", ""),
        ("<-o@x.org>", ""),
        ("v6.12..topic", ""),
        ("a b@x.org", ""),
        ("series@", ""),
    ],
)
def test_what_is_a_message_id(spec: str, found: str) -> None:
    assert message_id(spec) == found


def request(source: str, tmp_path: Path, b4: str = "b4", choice: Choice = NEWEST) -> Request:
    return Request(source, tmp_path, b4, tmp_path / "s", frozenset(), choice=choice)


def test_the_posting_of_that_mail_is_taken(tmp_path: Path) -> None:
    older = [raw.replace(b"Subject", b"X-T: 1\nSubject") for raw in posting(1)]
    thread = mbox([*older, *posting(2, "char", day=5)])
    runner = B4(thread)
    assert (
        take(request("https://lore.kernel.org/r/2v1@x", tmp_path), runner).intake.series.version
        == 1
    )
    assert runner.asked[0][:4] == ["b4", "--no-interactive", "mbox", "-C"]
    assert runner.asked[0][-1] == "2v1@x"
    assert take(request("c2@x", tmp_path), B4(thread)).intake.series.version == 2
    wanted = request("c2@x", tmp_path, choice=Choice(1))
    assert take(wanted, B4(thread)).intake.series.version == 1


@pytest.mark.parametrize("thread", [b"", mbox(posting(3))])
def test_b4_s_success_is_the_mail_and_not_its_status(thread: bytes, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"<c1@x> could not be fetched: .*b4: ok, got it") as caught:
        fetch_thread("c1@x", "b4", B4(thread, "ok, got it"), tmp_path)
    assert "kzc import FILE" in caught.value.hint


def test_the_real_b4_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a name that can never be looked up, so that this is the same where there is network
    config = tmp_path / "gitconfig"
    config.write_text("[b4]\n\tmidmask = https://lore.invalid/all/%s\n\tsearchmask = \n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(HostError, match="could not be fetched: no network") as caught:
        take(request("nothing@example.invalid", tmp_path, find_program("b4")), RUNNER)
    assert len(caught.value.message.splitlines()) == 1
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "home").exists()


def test_no_b4_and_no_source(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="b4, which is not there"):
        take(request("a@x.org", tmp_path, ""), RUNNER)
    with pytest.raises(UsageError, match="nothing: no file, folder, Message-ID or range"):
        take(request("nothing", tmp_path), RUNNER)
