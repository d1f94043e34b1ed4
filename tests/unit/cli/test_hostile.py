# SPDX-License-Identifier: GPL-2.0-only
"""What the verbs print of texts that a guest, git or a compiler wrote."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from kzc.cli import boots, reports
from kzc.cli.screen import LiveScreen, PlainScreen
from kzc.cli.words import spoken
from kzc.errors import HostError
from kzc.values import Case, Outcome, Stage, Verdict

DATA = Path(__file__).parents[2] / "data" / "hostile"
NAMES: list[str] = json.loads((DATA / "names.json").read_text())


def clean(shown: str) -> bool:
    return all(letter == "\n" or letter.isprintable() for letter in shown)


def shown_by(live: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=live, color_system=None)
    screen = LiveScreen(console) if live else PlainScreen(console)
    with screen:
        for name in NAMES:
            screen.step(name)
            screen.progress(name, 0.5)
            screen.case(Case(name, Verdict.FAIL, reason=name))
            screen.case(Case(name, Verdict.PASS))
            screen.outcome(Outcome(Stage.TEST, name, Verdict.FAIL, reason=name * 3000))
    return file.getvalue()


def test_the_plain_screen_shows_escapes_and_obeys_none() -> None:
    shown = shown_by(live=False)
    assert clean(shown)
    assert r"\x1b]0;owned\x07" in shown
    assert "[red]rich[/red]" in shown
    assert "more characters]" in shown


def test_the_live_screen_has_no_control_but_its_own() -> None:
    shown = shown_by(live=True)
    for forbidden in (
        "\x1b]",
        "\x1b[2J",
        "\x9b",
        "\x07",
        "\x08",
        "\x7f",
        "\u202e",
        "\u2066",
        "\x00",
    ):
        assert forbidden not in shown
    assert r"\x1b]0;owned\x07" in shown


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_s_words_are_printable(debug: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> int:
        raise HostError("git said:\n" + "\n".join(NAMES), NAMES[4])

    assert spoken(broken, debug=debug) == 3
    told = capsys.readouterr().err
    assert clean(told)
    assert "git said:\n" in told
    assert "next: " in told


def test_an_error_of_the_system_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    def absent() -> int:
        return len((Path("/nowhere") / "\x1b]0;owned\x07\udcff").read_text())

    assert spoken(absent) == 3
    assert clean(capsys.readouterr().err)


@pytest.mark.parametrize("form", ["ktap", "kernel-log"])
def test_a_replayed_log_is_printable(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = DATA / ("kernel.log" if form == "kernel-log" else "ktap.log")
    status = reports.parse(form, log, 0)
    shown = capsys.readouterr().out
    assert clean(shown)
    assert r"\x1b]0;owned" in shown if form == "ktap" else r"\x9b2J" in shown
    assert status == (1 if form == "kernel-log" else 0)


def test_nothing_but_a_newline_ends_a_line_of_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_bytes("TAP version 13\n1..1\nnot ok 1 a\rok 1 b\u2028ok 2 c\x0cok 3 d\n".encode())
    assert reports.parse("ktap", log, 0) == 1
    shown = capsys.readouterr().out
    assert "fail" in shown.split()
    assert "pass" not in shown.split()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_exec_is_printable_on_a_terminal_and_unchanged_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = ("\x1b]0;owned\x07 a\tb", "\x1b[31mred\x1b[m", "\u202ex")
    for made, wanted in (
        (Terminal(), "\\x1b]0;owned\\x07 a" + " " * 6 + "b\nred\n\\u202ex\n"),
        (io.StringIO(), "".join(f"{each}\n" for each in output)),
    ):
        monkeypatch.setattr(sys, "stdout", made)
        boots.print_output(output)
        assert made.getvalue() == wanted


def test_a_terminal_without_unicode_is_no_traceback(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("TAP version 13\n1..1\nok 1 grün\n")
    done = subprocess.run(
        [sys.executable, "-m", "kzc", "parse", "ktap", str(log), "--status", "0"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"gr\xfcn" in done.stdout
