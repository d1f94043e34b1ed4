# SPDX-License-Identifier: GPL-2.0-only
"""Run and Outcome as JSON objects and back.

What is read equals what was written, provided `detail` holds what JSON holds (texts, finite
numbers, booleans, None, lists, mappings with text keys). Other evidence is turned into that
rather than lost: tuples to lists, paths to texts, NaN to null. Unknown keys are passed over, so
that an older kzc reads a newer one's runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Any

from kzc.values import Case, Outcome, Run, Stage, Verdict

SCHEMA = 1


def jsonable(value: Any) -> Any:
    """The nearest value that JSON can hold."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((jsonable(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: jsonable(getattr(value, part.name)) for part in fields(value)}
    return str(value)


def case_to_json(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "verdict": case.verdict.value,
        "seconds": jsonable(case.seconds),
        "reason": case.reason,
        "detail": jsonable(case.detail),
    }


def case_from_json(data: Mapping[str, Any]) -> Case:
    return Case(
        name=data["name"],
        verdict=Verdict(data["verdict"]),
        seconds=data["seconds"] or 0.0,
        reason=data["reason"],
        detail=data["detail"],
    )


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as an object."""
    return {
        "stage": outcome.stage.value,
        "subject": outcome.subject,
        "verdict": outcome.verdict.value,
        "seconds": jsonable(outcome.seconds),
        "log": outcome.log,
        "reason": outcome.reason,
        "detail": jsonable(outcome.detail),
        "cases": [case_to_json(case) for case in outcome.cases],
    }


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """Raises KeyError, TypeError or ValueError where the object is not an outcome."""
    return Outcome(
        stage=Stage(data["stage"]),
        subject=data["subject"],
        verdict=Verdict(data["verdict"]),
        seconds=data["seconds"] or 0.0,
        log=data["log"],
        reason=data["reason"],
        detail=data["detail"],
        cases=tuple(case_from_json(case) for case in data["cases"]),
    )


def header_to_json(run: Run) -> dict[str, Any]:
    """Everything of a run but its outcomes."""
    return {
        "schema": SCHEMA,
        "id": run.id,
        "started": run.started,
        "finished": run.finished,
        "command": list(run.command),
        "kzc": run.kzc,
        "environment": {str(key): str(value) for key, value in run.environment.items()},
    }


def header_from_json(data: Mapping[str, Any], outcomes: tuple[Outcome, ...] = ()) -> Run:
    """Raises KeyError or TypeError where the object is no header."""
    return Run(
        id=data["id"],
        started=data["started"],
        command=tuple(data["command"]),
        kzc=data["kzc"],
        environment=data["environment"],
        outcomes=outcomes,
        finished=data["finished"],
    )
