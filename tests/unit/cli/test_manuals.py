# SPDX-License-Identifier: GPL-2.0-only
"""The manual: man pages that no formatter warns of, topics that name all that the code knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from kzc import errors
from kzc.bench.values import Clock
from kzc.cli import ends, words
from kzc.cli.app import command, run
from kzc.cli.manual.markdown import body
from kzc.cli.manual.pages import Edition, pages
from kzc.cli.manual.topics import title, topics
from kzc.cli.unread import UNREAD
from kzc.results import verdicts
from kzc.settings import Settings
from kzc.values import Fit, Verdict

REPOSITORY = Path(__file__).parents[3]
PAGES = pages(command(), Edition("1.0", "2026-01-01"))
CHECKS = {
    "groff": ["groff", "-man", "-ww", "-Tutf8", "-k", "-z"],
    "mandoc": ["mandoc", "-T", "lint", "-W", "style"],
    "man": ["man", "--warnings", "-E", "UTF-8", "-l"],
}


@pytest.mark.parametrize("program", CHECKS)
def test_no_formatter_has_anything_to_say(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    assert run(["manual", str(tmp_path)]) == 0
    files = sorted(tmp_path.rglob("kzc*.[17]"))
    assert {file.name for file in files} == set(PAGES)
    # each alone where macros would go on from page to page
    for few in [files] if program == "mandoc" else [[file] for file in files[:: len(files) // 4]]:
        argv = [*CHECKS[program], *map(str, few)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        said = done.stderr + (done.stdout if program == "mandoc" else "")
        assert (said, done.returncode) == ("", 0)


def test_a_page_says_what_its_verb_takes() -> None:
    shown = PAGES["kzc-run.1"]
    assert "\\fB\\-t\\fR \\fITREE\\fR, \\fB\\-\\-tree\\fR \\fITREE\\fR" in shown
    assert "\\fBkzc run\\fR [\\fIOPTION\\fR]... \\fISERIES\\fR" in shown
    assert "[\\fIRUN\\fR]" in PAGES["kzc-report.1"]
    assert "\\fBkzc tree add\\fR" in PAGES["kzc-tree.1"]
    for verb in command().commands:
        assert f"\\fBkzc\\-{verb}\\fR(1)" in PAGES["kzc.1"]
        assert f"kzc-{verb}.1" in PAGES
    for topic in topics():
        assert f"kzc-{topic}.7" in PAGES
        assert f"\\fBkzc\\-{topic.replace('-', chr(92) + '-')}\\fR(7)" in PAGES["kzc.1"]


def test_pages_need_no_more_than_the_build_has() -> None:
    """The wheel is built where only typer and markdown-it-py are."""
    missing = ("pydantic", "rich", "platformdirs", "filelock", "paramiko", "scipy", "sqlalchemy")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({missing}))\n"
        "from kzc.cli.app import command\n"
        "from kzc.cli.manual.pages import Edition, pages\n"
        "print(len(pages(command(), Edition('1', '2026-01-01'))))"
    )
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{len(PAGES)}\n", "")


@pytest.mark.parametrize("text", ["[a](b)", "- a\n\n  ![c](d)"])
def test_what_no_page_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no page can hold"):
        body(f"# Title\n\n{text}\n")


@pytest.mark.parametrize("line", [".so /etc/passwd", "'hello", "\\X'tty: x'", "a\\-b `c` é"])
def test_text_is_no_roff(line: str) -> None:
    for shown in (body(line), body(f"    {line}"), body(f"- `a`: {line}")):
        assert not [each for each in shown if each.startswith((".so", "'"))]
        assert not [each for each in shown if "\\X" in each or not each.isascii()]


def test_topics_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(topics())
    for (topic, text), line in zip(topics().items(), listed, strict=True):
        assert line.endswith(title(text))
        assert run(["help", topic]) == 0
        assert capsys.readouterr().out == text
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("topic", "hint"),
    [("verdict", "verdicts? "), ("run", "`kzc run --help`"), ("\x1b[31m", "topics are")],
)
def test_what_is_no_topic_has_a_next_step(
    topic: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["help", topic]) == 2
    said = capsys.readouterr().err
    assert hint in said
    assert "\x1b" not in said


def terms(topic: str) -> set[str]:
    """What a topic has an entry for."""
    entries = re.findall(r"^- (`[^:]*)(?::|$)", topics()[topic], re.MULTILINE)
    return {term for entry in entries for term in re.findall(r"`([^`]+)`", entry)}


def exit_codes() -> Iterator[int]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.KzcError):
            yield kind.exit_code
    yield from (words.INTERRUPTED, UNREAD)
    yield from (verdicts.GOOD, verdicts.CODE_FAILED, verdicts.HOST_BROKE)


@pytest.mark.parametrize(
    ("topic", "known"), [("verdicts", Verdict), ("verdicts", Fit), ("time", Clock)]
)
def test_a_topic_has_an_entry_for_each_value(topic: str, known: type[StrEnum]) -> None:
    assert set(known) <= terms(topic)


def test_topologies_statuses_and_variables_are_all_there() -> None:
    assert set(ends._TOPOLOGIES) <= terms("topologies")
    assert set(map(str, exit_codes())) <= terms("exit-status")
    sources = (REPOSITORY / "kzc").rglob("*.py")
    read = {name for file in sources for name in re.findall(r"KZC_[A-Z_]*[A-Z]", file.read_text())}
    assert {"KZC_DEBUG", "KZC_BIN"} <= read
    assert read | {f"KZC_{name.upper()}" for name in Settings.model_fields} <= terms("environment")


def test_folders_of_cache_and_data_are_all_there() -> None:
    sources = "".join(file.read_text() for file in (REPOSITORY / "kzc").rglob("*.py"))
    made = set(re.findall(r'settings\.(?:cache|data) / "(\w+)"', sources))
    assert {"kernels", "trees"} <= made
    assert {f"{name}/" for name in made} <= terms("files")


def test_pages_go_into_a_folder_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        assert run(["manual", str(tmp_path / place)]) == 2
    assert "is no folder" in capsys.readouterr().err
