# SPDX-License-Identifier: GPL-2.0-only
"""A whole run as one JSON object, for programs.

Keys are only ever added; `schema` grows when one changes its meaning. Texts are as they came,
with everything beyond ASCII escaped, so that printing the report cannot drive a terminal; only a
lone surrogate, which readers of JSON refuse, is told as the text `\\ud800`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from kzc.results import summary
from kzc.results.clean import paired
from kzc.results.codec import SCHEMA, header_to_json, outcome_to_json
from kzc.results.verdicts import exit_code, is_clean, judge, verdict_word
from kzc.values import Run, Verdict


def as_object(run: Run) -> dict[str, Any]:
    """The report as an object; `counts` has every verdict of cases, those of 0 too.

    `verdict` is not_clean instead of a good one where the run is for measurement only; `caveat`
    then says so.
    """
    numbers = Counter(case.verdict for outcome in run.outcomes for case in outcome.cases)
    return {
        **header_to_json(run),
        "schema": SCHEMA,
        "verdict": verdict_word(run),
        "exit_code": exit_code(run),
        "clean": is_clean(run),
        "caveat": summary.caveat(run),
        "counts": {verdict.value: numbers[verdict] for verdict in Verdict},
        "outcomes": [
            {**outcome_to_json(outcome), "judged": judge(outcome).value} for outcome in run.outcomes
        ],
    }


def json_report(run: Run, folder: Path) -> str:
    """The object as text."""
    return json.dumps(_whole({**as_object(run), "folder": str(folder)}), indent=2) + "\n"


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return paired(value)
    if isinstance(value, dict):
        return {paired(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
