# SPDX-License-Identifier: GPL-2.0-only
"""Texts that would like to be something else, and a run in which every text is one of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random

from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import sample

DATA = Path(__file__).parents[2] / "data" / "hostile"
NAMES: tuple[str, ...] = tuple(json.loads((DATA / "names.json").read_text()))
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
"""What may never come out of a report: controls but newline, what reorders, what is invisible."""

_PIECES = (
    *(chr(number) for number in range(0xA0)),
    *"\u202e\u2066\u200b\u2028\u2029\ufeff\ud800\udfff\uffff\U000e0041\U0001f600é漢",
    *("\x1b[31m", "\x1b]0;", "\x1b[2J", "```", "http://x", "www.x.org", "@a", "#1", "a_b", "\r\n"),
    *("<b>", "&lt;", "](x)", "![", "| --- |", "\n# ", "\n- ", "\n\n", ":x:", "\\|", "x" * 30),
)


def texts(number: int, seed: int = 1) -> list[str]:
    """Random texts of pieces that mean something somewhere; the same for the same seed."""
    random = Random(seed)
    return ["".join(random.choices(_PIECES, k=random.randrange(1, 25))) for _ in range(number)]


def run(text: str) -> Run:
    """Every text of it is this one."""
    detail = {
        **{"repeat": text, "hint": text, "excerpt": [text], text: text, "signature": text},
        **{"decoded": [text], "not decoded": text, "log": text},
    }
    warning = {"file": text, "line": 1, "kind": text, "text": text}
    measured = {"proto": text, "ip": text, "mode": text, "tx": 1, "txc": 1, "zc": text}
    cases = (
        Case(text, Verdict.FAIL, 0, text, detail),
        Case(text, Verdict.PASS, 0, text, measured),
        *(Case(text, verdict, 0, text) for verdict in (Verdict.SKIP, Verdict.NOT_RUN)),
        Case(text, Verdict.CRASH, 0, text, {**detail, "list": [text, {"key": text}]}),
    )
    remarked = Case(f"{text}.", Verdict.PASS, 0, text, {"remarks": [warning], "log": text})
    whole = {**detail, "warnings": [warning], "findings": [text]}
    outcome = Outcome(Stage.TEST, text, Verdict.CRASH, 1, text, cases, whole, text)
    return replace(
        sample.run(),
        command=("kzc", text),
        environment={"series": text, "tree": text, "odd": text, text: text},
        outcomes=(
            outcome,
            replace(outcome, stage=Stage.BUILD, cases=()),
            replace(outcome, stage=Stage.CHECK, cases=(*cases, remarked)),
        ),
    )
