# SPDX-License-Identifier: GPL-2.0-only
"""Texts that are filled for a terminal: what is moved, what stays, and that no word is lost."""

from __future__ import annotations

import os
import re
import sys

import pytest

from kzc.cli.app import run
from kzc.cli.manual.topics import topics
from kzc.cli.reflow import filled, reflow
from kzc.shared import shared_folder

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
TEXT = """\
# A heading that is longer than the width, and stays

A paragraph of
two lines.

- `a`: an item that goes on
  in a second line.
- `b`: another one

  with a paragraph of its own.
1. first
10. tenth, which is a little longer

    code that is   longer than the width, and stays

| a table | stays |

```
fenced   code

- stays
```
"""
FILLED = """\
# A heading that is longer than the width, and stays

A paragraph of two
lines.

- `a`: an item that
  goes on in a
  second line.
- `b`: another one

  with a paragraph
  of its own.
1. first
10. tenth, which is
    a little longer

    code that is   longer than the width, and stays

| a table | stays |

```
fenced   code

- stays
```
"""


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_paragraphs_and_items_are_filled_and_the_rest_stays() -> None:
    assert reflow(TEXT, 20) == FILLED
    assert reflow(FILLED, 20) == FILLED


@pytest.mark.parametrize("width", [40, 80, 100])
def test_topics_fit_a_terminal_and_lose_no_word(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(monkeypatch, width)
    for topic, text in topics().items():
        assert run(["help", topic]) == 0
        shown = capsys.readouterr().out
        assert shown.split() == text.split()
        code = [line for line in text.split("\n") if line.startswith("    ")]
        assert [line for line in code if line not in shown.split("\n")] == []
        wide = [line for line in shown.split("\n") if len(line) > width]
        free = [line for line in wide if not line.startswith(("    ", "#", "|"))]
        # only a word that is wider by itself
        assert [line for line in free if " " in line.strip()] == []


def test_a_terminal_may_be_wider_than_a_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(monkeypatch, 300)
    assert run(["help", "ci"]) == 0
    assert 90 < max(map(len, capsys.readouterr().out.split("\n"))) <= 100


def test_plans_are_listed_in_line_and_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(monkeypatch, 80)
    assert run(["bench", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    names = [line.split("  ")[0] for line in lines if line[0] != " "]
    assert "qemu-migration" in names
    wide = max(map(len, names)) + 2
    assert all(line[wide - 1] == " " != line[wide] for line in lines)


def test_a_series_is_shown_in_line_and_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(monkeypatch, 80)
    for series in sorted(os.listdir(shared_folder("patches"))):
        if (shared_folder("patches") / series / "series.toml").is_file():
            assert run(["series", "show", series]) == 0
            plain = _STYLE.sub("", capsys.readouterr().out)
            assert max(map(len, plain.splitlines())) <= 80
    assert run(["series", "show", "scm-zc-notification"]) == 0
    lines = _STYLE.sub("", capsys.readouterr().out).splitlines()
    proofs = lines[lines.index("Proven by") + 1 :]
    proofs = proofs[: proofs.index("")]
    wide = len("  msg_zerocopy_sendmsg  ")
    assert all(line[wide - 1] == " " != line[wide] for line in proofs)


def test_long_words_stay_whole() -> None:
    assert filled("v4  https://lore.example.org/r/1", 12, 2, 2) == [
        "  v4",
        "    https://lore.example.org/r/1",
    ]
