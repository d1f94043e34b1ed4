# SPDX-License-Identifier: GPL-2.0-only
"""Outcomes survive JSON; evidence that JSON cannot hold becomes what it can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kzc.results.codec import jsonable, outcome_from_json, outcome_to_json
from kzc.values import Case, Diagnostic, Outcome, Stage, Verdict

from . import sample


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_stage_and_verdict_survives(stage: Stage, verdict: Verdict) -> None:
    case = Case("a\x00\ud800é\n", verdict, 0.1, "why", {"n": [1, 2.5, None, True, {"k": "v"}]})
    outcome = Outcome(stage, "s", verdict, 1 / 3, "logs/x", (case,), {"warnings": []}, "because")
    read = outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome))))
    assert read == outcome
    assert read.stage is stage
    assert read.cases[0].verdict is verdict


def test_the_sample_survives() -> None:
    for outcome in sample.run().outcomes:
        assert outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome)))) == outcome


def test_evidence_that_json_cannot_hold_is_not_lost() -> None:
    value = {
        "path": Path("a/b"),
        "tuple": (1, 2),
        "set": {"b", "a"},
        "bytes": b"a\xff",
        "nan": float("nan"),
        "verdict": Verdict.PASS,
        "warning": Diagnostic("a.c", 3, "warning", "unused"),
        4: "number as key",
    }
    assert json.loads(json.dumps(jsonable(value), allow_nan=False)) == {
        "path": "a/b",
        "tuple": [1, 2],
        "set": ["a", "b"],
        "bytes": "a\ufffd",
        "nan": None,
        "verdict": "pass",
        "warning": {"file": "a.c", "line": 3, "kind": "warning", "text": "unused"},
        "4": "number as key",
    }


@pytest.mark.parametrize("spoil", [{"stage": "dream"}, {"verdict": "maybe"}, {"cases": [{}]}])
def test_what_is_no_outcome_is_refused(spoil: dict[str, object]) -> None:
    data = {**outcome_to_json(sample.run().outcomes[0]), **spoil}
    with pytest.raises((KeyError, ValueError)):
        outcome_from_json(data)
