# SPDX-License-Identifier: GPL-2.0-only
"""What stands behind `ok N` in a KTAP result: a name, directives, a reason.

Words after ` # ` that are no directive are the reason. kselftest.h prints a directive before the
name (`ok 3 # SKIP name`): without a name of its own, the result takes that text for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kzc.values import Verdict

_SPLIT = re.compile(
    r"(?:^|(?<=\s))#(?:\s+|(?=(?:skip|todo|xfail|xpass|timeout|error|exit=|time=)))", re.I
)
_WORD = re.compile(r"(skip|todo|xfail|xpass|timeout|error)\b:?\s*(.*)", re.I)
_VALUE = re.compile(r"(exit|time)=(\d+(?:\.\d+)?)\s*([a-z]*)(?=$|\s)\s*(.*)", re.I)
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

# directive, was it `not ok`: verdict
_VERDICTS = {
    ("skip", False): Verdict.SKIP,
    ("skip", True): Verdict.SKIP,
    ("xfail", False): Verdict.XFAIL,
    ("xfail", True): Verdict.XFAIL,
    ("todo", True): Verdict.XFAIL,
    ("timeout", True): Verdict.TIMEOUT,
}


@dataclass(frozen=True)
class Directives:
    """The parts of a result; `seconds` from `time=`, `values` has `exit` and `time` as said."""

    name: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    values: Mapping[str, Any] = field(default_factory=dict)


def directives(text: str, bad: bool) -> Directives:
    """Read the text behind `ok N` (`bad`: behind `not ok N`)."""
    name, *fields = (part.strip() for part in _SPLIT.split(text))
    name = name.replace("\\#", "#").replace("\\\\", "\\")
    verdict = Verdict.FAIL if bad else Verdict.PASS
    seconds, reasons = 0.0, []
    values: dict[str, Any] = {}
    for part in fields:
        if match := _WORD.fullmatch(part):
            verdict = _VERDICTS.get((match[1].lower(), bad), verdict)
            part = match[2]
            if not name or name == "-":
                name, part = part, ""
        elif match := _VALUE.fullmatch(part):
            key, part = match[1].lower(), match[4]
            if key == "exit":
                values["exit"] = int(float(match[2]))
                verdict = _by_exit(values["exit"], verdict)
            else:
                values["time"] = f"{match[2]}{match[3]}"
                seconds = float(match[2]) * _UNITS.get(match[3].lower(), 0.0)
        if part:
            reasons.append(part)
    return Directives(name, verdict, ", ".join(reasons), seconds, values)


def _by_exit(status: int, verdict: Verdict) -> Verdict:
    """A test program that a signal ended has crashed."""
    return Verdict.CRASH if status > 128 and verdict is Verdict.FAIL else verdict
